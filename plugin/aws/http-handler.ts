import type { Agent } from 'node:http'
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler'
import { proxyAgents, proxyFor, type Target } from './egress-proxy.js'

type Handle = NodeHttpHandler['handle']
type Request = Parameters<Handle>[0]

/** So many that the streams of a destination, each with its own limit on calls, never wait for each other's sockets. */
const MAX_SOCKETS = 4_096
const CONNECTION_TIMEOUT_MS = 3_000

export interface AwsHttpHandlerOptions {
  /** @see proxyFor */
  readonly httpsProxy?: string | false | undefined
  /** Options of the SDK's own handler, which go before those here. */
  readonly options?: NodeHttpHandlerOptions | undefined
}

/**
 * Sends the requests of the AWS SDK's clients: the SDK's own handler, through a proxy where there is one for the host.
 */
export class AwsHttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #httpsProxy: string | false | undefined
  readonly #options: NodeHttpHandlerOptions
  /** By protocol and host. */
  readonly #byHost = new Map<string, Promise<NodeHttpHandler>>()
  /** By proxy; `undefined` for the one that connects directly. */
  readonly #handlers = new Map<string | undefined, Promise<NodeHttpHandler>>()

  constructor({ httpsProxy, options = {} }: AwsHttpHandlerOptions) {
    this.#httpsProxy = httpsProxy
    this.#options = options
  }

  async handle(request: Request, options?: Parameters<Handle>[1]): ReturnType<Handle> {
    return (await this.#handlerFor(request)).handle(request, options)
  }

  /** The SDK's extensions may ask for these; there is nothing here that they could change. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): NodeHttpHandlerOptions {
    return this.#options
  }

  /** After a time-out or a reset: what cut one connection has cut the others too, and nobody will say so. */
  dropIdleConnections(): void {
    this.#forEach(dropIdleConnectionsOf)
  }

  destroy(): void {
    this.#forEach((handler) => handler.destroy())
  }

  #forEach(act: (handler: NodeHttpHandler) => void): void {
    for (const handler of this.#handlers.values()) handler.then(act, () => {})
  }

  #handlerFor(target: Target): Promise<NodeHttpHandler> {
    const host = `${target.protocol}//${target.hostname}:${target.port}`
    const known = this.#byHost.get(host)
    if (known !== undefined) return known
    const handler = this.#handlerBy(proxyFor(target, this.#httpsProxy))
    this.#byHost.set(host, handler)
    // What cannot be made now may be made at the next call.
    handler.catch(() => this.#byHost.delete(host))
    return handler
  }

  #handlerBy(proxy: string | undefined): Promise<NodeHttpHandler> {
    const known = this.#handlers.get(proxy)
    if (known !== undefined) return known
    const handler = this.#make(proxy)
    this.#handlers.set(proxy, handler)
    handler.catch(() => this.#handlers.delete(proxy))
    return handler
  }

  async #make(proxy: string | undefined): Promise<NodeHttpHandler> {
    const sockets = { keepAlive: true, maxSockets: MAX_SOCKETS }
    const agents =
      proxy === undefined
        ? { httpAgent: sockets, httpsAgent: sockets }
        : await proxyAgents(proxy, sockets, CONNECTION_TIMEOUT_MS)
    return new NodeHttpHandler({ connectionTimeout: CONNECTION_TIMEOUT_MS, ...agents, ...this.#options })
  }
}

/** The parts of a handler that are used here; whoever makes their own may leave them out. */
interface WithAgents {
  httpHandlerConfigs?(): { readonly httpAgent?: unknown; readonly httpsAgent?: unknown }
}

/** Destroys the connections of a handler that wait for a request, and not those that carry one. */
export function dropIdleConnectionsOf(handler: object): void {
  const { httpAgent, httpsAgent } = (handler as WithAgents).httpHandlerConfigs?.() ?? {}
  for (const agent of [httpAgent, httpsAgent]) {
    const { freeSockets = {} } = (agent ?? {}) as Partial<Agent>
    for (const socket of Object.values(freeSockets).flatMap((sockets = []) => sockets)) socket.destroy()
  }
}

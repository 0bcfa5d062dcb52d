import type { Agent, AgentOptions } from 'node:http'
import type { AgentOptions as HttpsAgentOptions } from 'node:https'
import ipaddr from 'ipaddr.js'
import { environmentProxy } from '../settings/environment-proxy.js'

/** Where a request goes. */
export interface Target {
  /** Such as `https:`. */
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/**
 * The proxy for requests to `target`; `undefined` where they go directly.
 *
 * @param setting - a URL for all requests, or `false` for none. @default `HTTPS_PROXY` for https, unless `NO_PROXY` names the host
 */
export function proxyFor(
  target: Target,
  setting: string | false | undefined,
  env: Env = process.env,
): string | undefined {
  if (setting !== undefined) return setting || undefined
  const proxy = target.protocol === 'https:' ? environmentProxy(env) : undefined
  return proxy !== undefined && !isExempt(target, env) ? proxy : undefined
}

/** A name stands for its subdomains as well, with or without a dot before it: the rule of curl, Go and botocore. */
function isExempt({ protocol, hostname, port }: Target, env: Env): boolean {
  const list = env['no_proxy'] || env['NO_PROXY'] || ''
  const host = bare(hostname)
  const at = port ?? (protocol === 'https:' ? 443 : 80)
  return list
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const [, name = entry, ofPort] = /^(.*?[^:]):(\d+)$/.exec(entry) ?? []
      if (ofPort !== undefined && Number(ofPort) !== at) return false
      return name === '*' || matches(host, bare(name))
    })
}

function matches(host: string, name: string): boolean {
  if (ipaddr.isValid(host)) return matchesAddress(host, name)
  const domain = name.replace(/^\*?\./, '')
  return host === domain || host.endsWith(`.${domain}`)
}

function matchesAddress(host: string, name: string): boolean {
  const address = ipaddr.process(host)
  if (ipaddr.isValid(name)) return ipaddr.process(name).toString() === address.toString()
  if (!ipaddr.isValidCIDR(name)) return false
  const [network, bits] = ipaddr.parseCIDR(name)
  return address.kind() === network.kind() && address.match(network, bits)
}

/** In lower case, without the brackets of IPv6. */
function bare(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
}

/** What Node.js calls to connect, which its types leave out. */
type Connect = (options: object, callback: (error: Error | null, socket?: unknown) => void) => unknown

interface Connecting {
  createConnection: Connect
}

/**
 * Agents that tunnel through `proxy`, one for requests by http and one for https.
 *
 * @param timeoutMs - how long the proxy may take to open a tunnel
 */
export async function proxyAgents(
  proxy: string,
  options: AgentOptions & HttpsAgentOptions,
  timeoutMs: number,
): Promise<{ readonly httpAgent: Agent; readonly httpsAgent: Agent }> {
  // Loaded only here: most machines have no proxy.
  const { HttpProxyAgent, HttpsProxyAgent } = await import('hpagent')
  return {
    httpAgent: bounded(new HttpProxyAgent({ ...options, proxy }), proxy, timeoutMs),
    httpsAgent: bounded(new HttpsProxyAgent({ ...options, proxy }), proxy, timeoutMs),
  }
}

/** hpagent waits as long as the socket's time-out, and its errors name neither the proxy nor what was asked of it. */
function bounded<T extends Agent>(agent: T, proxy: string, timeoutMs: number): T {
  const connecting = agent as unknown as Connecting
  const connect = connecting.createConnection.bind(agent)
  connecting.createConnection = (options, callback) => {
    const { host, port } = options as { host?: string; port?: number }
    return connect({ ...options, timeout: timeoutMs }, (error, socket) =>
      callback(error && proxyError(error, new URL(proxy).host, `${host}:${port}`), socket),
    )
  }
  return agent
}

/** The status that the proxy answered with stands in the code. */
function proxyError(cause: Error & { code?: unknown }, proxy: string, target: string): Error {
  const status = /^Bad response: (\d{3})$/.exec(cause.message)?.[1]
  const what = status === undefined ? cause.message || String(cause.code) : `it answered HTTP ${status}`
  const error = new Error(`The proxy ${proxy} opened no tunnel to ${target}: ${what}`)
  return Object.assign(error, {
    name: 'ProxyError',
    code: status === undefined ? cause.code : `HTTP_${status}`,
  })
}

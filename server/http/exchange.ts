import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Site } from '../site.js'
import type { Endpoint } from './endpoint.js'

/** One request and its answer. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly site: Site
  readonly endpoint: Endpoint | 'unknown' | 'elsewhere'
  /** How to fix the place where this middleware is mounted, if that is why `endpoint` is `elsewhere`. */
  readonly hint?: string | undefined
  /** Names the request in the log and in its answer. */
  readonly id: string
  /** Headers of its answer, whatever that is: written with it, as Node takes far longer for each that is set before. */
  readonly headers: Record<string, string>
  /** What the log tells of it: filled in as it becomes known. */
  readonly seen: { source: string | undefined; events: number }
}

/** Sets {@link Exchange.headers} on an answer that is not written with them. */
export function setHeaders({ res, headers }: Exchange): void {
  if (res.headersSent) return
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}

/** How a request that succeeded is answered. */
export type Answer = (exchange: Exchange) => void | Promise<void>

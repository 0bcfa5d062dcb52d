import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Site } from '../site.js'
import type { Endpoint } from './endpoint.js'

/** One request and its answer. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly site: Site
  readonly endpoint: Endpoint | 'unknown' | 'elsewhere'
  /** Names the request in the log and in its answer. */
  readonly id: string
  /** What the log tells of it: filled in as it becomes known. */
  readonly seen: { source: string | undefined; events: number }
}

/** How a request that succeeded is answered. */
export type Answer = (exchange: Exchange) => void | Promise<void>

import type { Trust } from './http/client-address.js'
import type { Endpoints } from './http/endpoint.js'
import type { Sources } from './sources.js'
import type { PublicUrl } from './web/public-url.js'

/** What one configuration says of requests. A request is handled by the site it began with, whatever is loaded later. */
export interface Site {
  readonly sources: Sources
  readonly endpoints: Endpoints
  /** Which proxies between the client and us are believed. */
  readonly trust: Trust
  /** Where clients reach us, if the configuration says so. */
  readonly publicUrl: PublicUrl | undefined
  readonly customPath: string | undefined
}

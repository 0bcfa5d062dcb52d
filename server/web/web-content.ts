import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** What is answered, in each encoding that there is. */
export interface WebContent {
  readonly contentType: string
  readonly body: Buffer
  readonly gzipped: Buffer | undefined
  /** Strong and of `body`, without its quotes. */
  readonly etag: string
}

export const JAVASCRIPT = 'text/javascript; charset=utf-8'
export const JSON_TYPE = 'application/json; charset=utf-8'

/** What fits in one packet gains nothing. */
const MIN_GZIP_BYTES = 1024

const compress = promisify(gzip)

/** @param gzipped - where it is there already; else it is made */
export async function webContent(contentType: string, body: Buffer, gzipped?: Buffer): Promise<WebContent> {
  const etag = createHash('sha256').update(body).digest('base64url').slice(0, 27)
  const smaller = gzipped ?? (body.length < MIN_GZIP_BYTES ? undefined : await compress(body))
  return { contentType, body, gzipped: smaller, etag }
}

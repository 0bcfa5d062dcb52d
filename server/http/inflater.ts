import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'

/** What inflates `body`, or `undefined` for an unknown Content-Encoding. */
export function createInflater(encoding: string, body: Buffer): Readable | undefined {
  const inflater = inflaterFor(encoding, body)
  inflater?.end(body)
  return inflater
}

function inflaterFor(encoding: string, body: Buffer) {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip()
    case 'br':
      return createBrotliDecompress()
    case 'deflate':
      // Senders disagree whether it has zlib's header, of which the low four bits are 8 (RFC 1950).
      return ((body[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw()
    default:
      return undefined
  }
}

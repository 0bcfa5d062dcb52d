import { isAscii, isUtf8, transcode } from 'node:buffer'

/** Below this `toString()` is as fast, in bytes. */
const LARGE_BYTES = 4096

/** What `toString()` reads, which takes three times as long where a large text is not all ASCII. */
export function readUtf8(bytes: Buffer): string {
  if (bytes.length < LARGE_BYTES || isAscii(bytes) || !isUtf8(bytes)) return bytes.toString('utf8')
  return transcode(bytes, 'utf8', 'utf16le').toString('utf16le')
}

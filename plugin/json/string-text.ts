import { SLICE_BYTES, type Slices } from '../slices.js'
import type { ByteWriter } from './byte-writer.js'
import { BACKSLASH, QUOTE, SPACE } from './json-bytes.js'

/** Bytes of UTF-8 as JSON writes them: `\u0000` at the most. */
const SIZE = new Uint8Array(256).fill(1).fill(6, 0, SPACE)
for (const byte of Buffer.from('\b\t\n\f\r')) SIZE[byte] = 2
SIZE[QUOTE] = 2
SIZE[BACKSLASH] = 2

/** Bytes of the text as a string of JSON, without its quotes. */
export function* stringTextSize(text: Uint8Array): Slices<number> {
  let size = 0
  for (let from = 0; from < text.length; from += SLICE_BYTES) {
    const end = Math.min(text.length, from + SLICE_BYTES)
    for (let at = from; at < end; at++) size += SIZE[text[at] as number] as number
    yield
  }
  return size
}

/** Adds the text as a string of JSON. @param text - UTF-8 */
export function* addStringText(writer: ByteWriter, text: Buffer): Slices<void> {
  writer.addText('"')
  for (let from = 0; from < text.length; ) {
    const end = wholeEnd(text, from + SLICE_BYTES)
    writer.addText(JSON.stringify(text.toString('utf8', from, end)).slice(1, -1))
    from = end
    yield
  }
  writer.addText('"')
}

/** Adds the bytes as base64 in a string of JSON. */
export function* addBase64Text(writer: ByteWriter, bytes: Buffer): Slices<void> {
  // Whole groups of three: no padding comes in between.
  const step = 3 * Math.floor(SLICE_BYTES / 3)
  writer.addText('"')
  for (let from = 0; from < bytes.length; from += step) {
    writer.addText(bytes.toString('base64', from, from + step))
    yield
  }
  writer.addText('"')
}

/** The end of the last whole character before `end`. */
function wholeEnd(text: Buffer, end: number): number {
  let at = Math.min(end, text.length)
  while (at < text.length && ((text[at] as number) & 0xc0) === 0x80) at--
  return at
}

import { describe, it } from '@jest/globals'
import fc from 'fast-check'
import { readUtf8 } from '../../../server/http/utf8.js'

/** Beside plain bytes: what ends, begins or breaks a character, and what decoders treat in ways of their own. */
const SPECIAL = [
  '\uFEFF',
  'é',
  '😀',
  '\u{10FFFF}',
  '\uFFFE\uFFFF',
  '\0',
  // A lone surrogate, half an emoji, an overlong NUL, and what never is in UTF-8.
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xf0, 0x9f]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xff]),
].map((piece) => Buffer.from(piece))

const ASCII = Buffer.alloc(1_024, 'events ')

const anyBytes = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes))
const anyText = fc.string({ unit: 'binary', maxLength: 64 }).map((text) => Buffer.from(text))
const special = fc.constantFrom(...SPECIAL)

/** Four pieces beside it make more than 4 KiB. */
function large(piece: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .array(fc.tuple(piece, fc.nat({ max: ASCII.length })), { minLength: 4, maxLength: 12 })
    .map((pieces) =>
      Buffer.concat([...pieces.flatMap(([bytes, length]) => [bytes, ASCII.subarray(0, length)]), ...FILL]),
    )
}

const FILL = [ASCII, ASCII, ASCII, ASCII]

describe('a large text', () => {
  it.each<[string, fc.Arbitrary<Buffer>]>([
    ['of any bytes', large(fc.oneof(anyBytes, special))],
    ['of valid UTF-8', large(anyText)],
    [
      'of valid UTF-8 after a BOM',
      large(anyText).map((text) => Buffer.concat([Buffer.from('\uFEFF'), text])),
    ],
  ])('reads as toString() reads it: %s', (_what, texts) => {
    fc.assert(fc.property(texts, (bytes) => readUtf8(bytes) === bytes.toString('utf8')))
  })

  it('reads as toString() reads it at the size from which it is read otherwise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4_090, max: 4_100 }), special, (size, piece) => {
        const bytes = Buffer.concat([Buffer.alloc(size - piece.length, 'a'), piece])
        return readUtf8(bytes) === bytes.toString('utf8')
      }),
    )
  })
})

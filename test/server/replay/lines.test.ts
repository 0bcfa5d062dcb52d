import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Line, linesIn, type Position, skipping } from '../../../server/replay/lines.js'

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const START: Position = { offset: 0, line: 0 }

function lines(text: string, size: number, start = START, max = 1_000): Promise<Line[]> {
  const bytes = Buffer.from(text)
  return all(linesIn(inPieces(bytes.subarray(start.offset), size), start, max))
}

describe('linesIn', () => {
  it('gives each line and its place, however the bytes come', async () => {
    const text = fc.array(fc.constantFrom('a', 'ü', '\n', '{', '\r'), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 20 }), async (parts, size) => {
        const whole = parts.join('')
        const found = await lines(whole, size)
        const expected = whole.split('\n')
        if (expected.at(-1) === '') expected.pop()
        expect(found.map(({ bytes }) => bytes?.toString())).toEqual(expected)
        expect(found.map(({ number }) => number)).toEqual(expected.map((_, i) => i + 1))
        for (const line of found) {
          expect(await lines(whole, size, { offset: line.offset, line: line.number - 1 })).toEqual(
            found.slice(line.number - 1),
          )
        }
        expect(found.at(-1)?.end ?? 0).toBe(Buffer.byteLength(whole))
      }),
    )
  })

  it('gives the place of a line that is too long, and the next one whole', async () => {
    expect(await lines(`aa\n${'x'.repeat(11)}\n${'y'.repeat(10)}`, 4, START, 10)).toMatchObject([
      { number: 1, offset: 0, end: 3 },
      { number: 2, offset: 3, end: 15, bytes: undefined },
      { number: 3, offset: 15, end: 25, bytes: Buffer.from('y'.repeat(10)) },
    ])
  })
})

describe('skipping', () => {
  it.each([1, 2, 3, 10])('leaves out the first bytes, in pieces of %i', async (size) => {
    for (let skipped = 0; skipped <= 7; skipped++) {
      const rest = await all(skipping(inPieces(Buffer.from('abcdef'), size), skipped))
      expect(Buffer.concat(rest).toString()).toBe('abcdef'.slice(skipped))
    }
  })
})

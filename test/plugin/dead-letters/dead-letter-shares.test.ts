import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import type { DeadLetter } from '../../../plugin/dead-letters/dead-letter.js'
import { DeadLetterFiles } from '../../../plugin/dead-letters/dead-letter-files.js'
import { DeadLetterShares } from '../../../plugin/dead-letters/dead-letter-shares.js'
import { tempDir } from '../../server/temp-dir.js'

const letter = (source: string | null, bytes: number): DeadLetter => ({
  at: '2026-01-02T03:04:05.678Z',
  reason: 'The event has no type',
  code: 'ERR_INVALID_EVENT',
  source,
  stream: null,
  messageId: null,
  data: 'x'.repeat(bytes),
})

function harness(directory = join(tempDir(), 'dead-letters'), maxBytes = 100_000) {
  const open = () =>
    new DeadLetterShares({ store: new DeadLetterFiles(directory, systemClock, maxBytes), maxBytes })
  const shares = open()
  /** Writes letters of the source until one is refused, and gives what it has then. */
  const fill = async (source: string | null, from = shares) => {
    let error: unknown
    while (error === undefined) {
      await from.write([letter(source, 1_000)]).catch((thrown: unknown) => {
        error = thrown
      })
    }
    return error
  }
  const held = () => {
    const lines = readdirSync(directory).flatMap((name) =>
      readFileSync(join(directory, name), 'utf8').trimEnd().split('\n'),
    )
    const sums: Record<string, number> = {}
    for (const line of lines) {
      const source = String((JSON.parse(line) as DeadLetter).source)
      sums[source] = (sums[source] ?? 0) + line.length + 1
    }
    return sums
  }
  return { directory, shares, open, fill, held }
}

describe('dead letters of several sources', () => {
  it('leave half of the room, a third, a quarter to the sources that come later', async () => {
    const { fill, held, shares } = harness()
    for (const source of ['a', 'b', null]) {
      expect(await fill(source)).toMatchObject({ name: 'DeadLetterShareError', source })
    }
    const { a = 0, b = 0, null: none = 0 } = held()
    expect([a, b, none].map((bytes) => Math.round(bytes / 5_000) * 5_000)).toEqual([50_000, 25_000, 15_000])
    await shares.write([letter('c', 1_000)])
    await expect(shares.write([letter('c', 1_000), letter('a', 1)])).rejects.toMatchObject({ source: 'a' })
    expect(held()['c']).toBe(JSON.stringify(letter('c', 1_000)).length + 1)
  })

  it('count for their source in the next process too, and in each of several', async () => {
    const { fill, open, held } = harness()
    await fill('a')
    const [next, other] = [open(), open()]
    const before = held()['a']
    for (const process of [next, other]) {
      await expect(process.write([letter('a', 1_000)])).rejects.toMatchObject({ source: 'a' })
    }
    await fill('b', next)
    await expect(other.write([letter('b', 1_000)])).rejects.toMatchObject({ source: 'b' })
    await other.write([letter('c', 10)])
    expect(held()['a']).toBe(before)
  })

  it('have room again when files were moved away', async () => {
    const { directory, fill, shares } = harness()
    await fill('a')
    for (const name of readdirSync(directory)) rmSync(join(directory, name))
    await shares.write([letter('a', 1_000)])
  })

  it('are bounded as well where many are written at once, and others are not refused for them', async () => {
    const { shares, held } = harness()
    const write = (source: string) => shares.write([letter(source, 1_000)])
    const writes = [...Array.from({ length: 200 }, () => write('a')), write('b')]
    const results = await Promise.allSettled(writes)
    expect(results.at(-1)).toMatchObject({ status: 'fulfilled' })
    expect(held()['a']).toBeLessThanOrEqual(50_000)
    expect(held()['a']).toBeGreaterThan(45_000)
    await expect(Promise.all(Array.from({ length: 9 }, () => write('a')))).rejects.toMatchObject({
      source: 'a',
    })
  })

  it('tell of a directory that is full of something else as that', async () => {
    const { directory } = harness()
    await new DeadLetterFiles(directory, systemClock).write([letter('a', 200_000)])
    const { shares } = harness(directory)
    await expect(shares.write([letter('b', 1)])).rejects.toThrow('at most 100000 are kept; move files away')
  })

  it('tell how much there is, as counted when somebody asked before', async () => {
    const { shares } = harness()
    await shares.write([letter('a', 1_000)])
    const bytes = JSON.stringify(letter('a', 1_000)).length + 1
    while (shares.usage().bytes === 0) await new Promise(setImmediate)
    expect(shares.usage()).toEqual({ bytes, bySource: new Map([['a', bytes]]) })
  })
})

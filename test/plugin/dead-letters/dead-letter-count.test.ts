import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { systemClock } from '../../../plugin/clock.js'
import type { DeadLetter } from '../../../plugin/dead-letters/dead-letter.js'
import { DeadLetterCount } from '../../../plugin/dead-letters/dead-letter-count.js'
import { DeadLetterFiles } from '../../../plugin/dead-letters/dead-letter-files.js'
import { tempDir } from '../../server/temp-dir.js'

const letter = (source: string | null, parts: Partial<DeadLetter> = {}): DeadLetter => ({
  at: '2026-01-02T03:04:05.678Z',
  reason: 'The event has no type',
  code: 'ERR_INVALID_EVENT',
  source,
  stream: null,
  messageId: null,
  data: { source: 'mine', text: 'ü' },
  ...parts,
})

const bytesOf = (letters: readonly DeadLetter[]) =>
  letters.reduce((sum, it) => sum + Buffer.byteLength(JSON.stringify(it)) + 1, 0)

function harness() {
  const directory = join(tempDir(), 'dead-letters')
  const count = new DeadLetterCount(directory)
  const files = new DeadLetterFiles(directory, systemClock)
  const counted = async () => {
    const { bytes, bySource } = await count.count()
    return { bytes, bySource: Object.fromEntries(bySource) }
  }
  return { directory, count, files, counted }
}

describe('the count of dead letters', () => {
  it('is by source, and goes on with what was written since', async () => {
    const { files, count, counted } = harness()
    expect(await counted()).toEqual({ bytes: 0, bySource: {} })
    const [a, b, none] = [letter('src_a'), letter('src_b'), letter(null)]
    await files.write([a, b, none])
    const first = { src_a: bytesOf([a]), src_b: bytesOf([b]), null: bytesOf([none]) }
    expect(await counted()).toEqual({ bytes: bytesOf([a, b, none]), bySource: first })
    await files.write([a, a])
    expect(await counted()).toMatchObject({ bySource: { ...first, src_a: bytesOf([a, a, a]) } })
    expect(count.usage.bytes).toBe(bytesOf([a, a, a, b, none]))
  })

  it('is of what is on the disk: of earlier processes and of others, less what was moved away', async () => {
    const { directory, files, counted } = harness()
    const a = letter('src_a')
    await files.write([a])
    const other = new DeadLetterCount(directory)
    await other.count()
    writeFileSync(
      join(directory, '2025-01-01.ndjson'),
      `${JSON.stringify(a)}\n${JSON.stringify(letter('src_b'))}\n`,
    )
    expect(await counted()).toMatchObject({ bySource: { src_a: bytesOf([a, a]) } })
    expect(Object.fromEntries((await other.count()).bySource)).toEqual((await counted()).bySource)
    renameSync(join(directory, '2025-01-01.ndjson'), join(tempDir(), 'moved'))
    expect(await counted()).toEqual({ bytes: bytesOf([a]), bySource: { src_a: bytesOf([a]) } })
    rmSync(directory, { recursive: true })
    expect(await counted()).toEqual({ bytes: 0, bySource: {} })
  })

  it('begins anew with a file that was emptied, or took the place of another', async () => {
    const { directory, counted } = harness()
    mkdirSync(directory)
    const path = join(directory, '2026-01-02.ndjson')
    const line = (source: string) => `${JSON.stringify(letter(source))}\n`
    writeFileSync(path, line('src_a').repeat(3))
    await counted()
    truncateSync(path)
    appendFileSync(path, line('src_b'))
    expect((await counted()).bySource).toEqual({ src_b: bytesOf([letter('src_b')]) })
    writeFileSync(join(directory, 'new'), line('src_c').repeat(9))
    renameSync(join(directory, 'new'), path)
    expect((await counted()).bySource).toEqual({ src_c: 9 * bytesOf([letter('src_c')]) })
  })

  it('has a line when it is whole, and what was cut off not at all', async () => {
    const { directory, counted } = harness()
    mkdirSync(directory)
    const path = join(directory, '2026-01-02.ndjson')
    const text = JSON.stringify(letter('src_a'))
    writeFileSync(path, text.slice(0, 100))
    expect(await counted()).toEqual({ bytes: 100, bySource: {} })
    appendFileSync(path, `${text.slice(100)}\n{"at":"2026-`)
    expect((await counted()).bySource).toEqual({ src_a: text.length + 2 })
    appendFileSync(path, `\n${text}\n`)
    expect((await counted()).bySource).toEqual({ src_a: 2 * (text.length + 2) })
  })

  it('finds the source of lines that are longer than what is read at once', async () => {
    const { files, counted } = harness()
    const long = letter('src_long', { data: { text: `"source":"other"${'x'.repeat(1_000_000)}` } })
    await files.write([letter('src_a'), long, letter('src_a'), long])
    expect((await counted()).bySource).toEqual({
      src_a: 2 * bytesOf([letter('src_a')]),
      src_long: 2 * bytesOf([long]),
    })
  })

  it('is not misled by what stands before the source in a letter', async () => {
    const { files, counted } = harness()
    const sly = letter('src_a', { reason: 'no "source":"src_b", nor ","source":null' })
    await files.write([sly])
    expect((await counted()).bySource).toEqual({ src_a: bytesOf([sly]) })
  })

  it('has other files in their size alone', async () => {
    const { directory, counted } = harness()
    mkdirSync(join(directory, 'folder'), { recursive: true })
    writeFileSync(join(directory, '2025-01-01.ndjson.gz'), `${JSON.stringify(letter('src_a'))}\n`)
    writeFileSync(join(directory, 'notes.ndjson'), 'notes\n')
    expect(await counted()).toEqual({ bytes: bytesOf([letter('src_a')]) + 6, bySource: {} })
  })

  it('agrees with what was written, whatever that is', async () => {
    const letters = fc.array(
      fc.record({
        source: fc.constantFrom('src_a', 'a/b:c=d', null),
        reason: fc.string({ unit: 'binary', maxLength: 50 }),
        data: fc.jsonValue(),
      }),
      { maxLength: 20 },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(letters, { maxLength: 4 }), async (writes) => {
        const { files, counted } = harness()
        const all = writes.flatMap((write) => write.map(({ source, ...parts }) => letter(source, parts)))
        for (const write of writes) {
          await files.write(write.map(({ source, ...parts }) => letter(source, parts)))
          await counted()
        }
        for (const source of ['src_a', 'a/b:c=d', null]) {
          const own = all.filter((it) => it.source === source)
          expect((await counted()).bySource[String(source)] ?? 0).toBe(bytesOf(own))
        }
      }),
      { numRuns: 10 },
    )
  })
})

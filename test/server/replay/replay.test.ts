import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from '@jest/globals'
import { event, folder, letter, ndjson, startReplays } from './harness.js'

let test: Awaited<ReturnType<typeof startReplays>>

afterEach(() => test.close())

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `m${from + i}`)
const events = (count: number, from = 0) => Array.from({ length: count }, (_, i) => event(from + i))
const progressOf = (dir: string) => join(dir, '.replay-test.json')

describe('a replay', () => {
  it('sends files of nested folders, gzip by its content, and leaves them as they were', async () => {
    test = await startReplays()
    const files = {
      '2026/01/02/part-1': ndjson(events(3)),
      '2026/01/02/part-2.gz': gzipSync(ndjson(events(3, 3))),
      '2026/01/03/no-name-that-tells': Buffer.concat([
        gzipSync(ndjson(events(2, 6))),
        gzipSync(ndjson(events(1, 8))),
      ]),
      'named.gz': ndjson(events(1, 9)),
    }
    const dir = folder(files)
    const { tally, ended } = await test.run(dir)
    expect(ended).toBe('done')
    expect(tally).toMatchObject({ files: 4, read: 10, sent: 10, delivered: 10, failures: 0, skips: 0 })
    expect(test.taken('everything')).toEqual(ids(10))
    for (const [name, content] of Object.entries(files)) {
      expect(readFileSync(join(dir, name)).equals(Buffer.from(content))).toBe(true)
    }
    expect(existsSync(progressOf(dir))).toBe(false)
  })

  it('sends dead letters to their own stream or by the mapping, as their own source', async () => {
    test = await startReplays({ mappedStreams: { '*': ['everything', 'audit'] } })
    const dir = folder({
      '2026-01-03.ndjson': ndjson([
        letter(1, { stream: 'audit' }),
        letter(2),
        letter(3, { source: 'src_app', stream: 'app' }),
      ]),
    })
    expect((await test.run(dir)).tally).toMatchObject({ delivered: 3, failures: 0 })
    expect(test.taken('audit').sort()).toEqual(['m1', 'm2'])
    expect(test.taken('everything')).toEqual(['m2'])
    expect(test.taken('app')).toEqual(['m3'])
    expect(new Set(test.callsOf('AssumeRole').map(({ externalId }) => externalId)).size).toBe(2)
  })

  it('sends files of the spill to the stream in their name', async () => {
    test = await startReplays({ mappedStreams: { '*': ['everything', 'audit'] } })
    const name = 'audit.0123456789abcdef.20260102T030405678Z.2.fedcba9876543210.ndjson'
    const dir = folder({
      [name]: ndjson(events(2)),
      [`${name.replace('fed', 'aaa')}.tmp-0123456789abcdef`]: ndjson(events(1, 7)),
      '.instances/0123456789abcdef': 'x',
    })
    expect((await test.run(dir)).tally).toMatchObject({ files: 1, delivered: 2, failures: 0 })
    expect(test.taken('audit')).toEqual(ids(2))
    expect(test.taken('everything')).toEqual([])
  })

  it('tries again what Firehose throttles', async () => {
    test = await startReplays()
    test.aws.addFault({ kind: 'throttle-records', share: 0.5, times: 2 })
    const { tally } = await test.run(folder({ a: ndjson(events(600)) }))
    expect(tally).toMatchObject({ delivered: 600, failures: 0 })
    expect(test.taken('everything').sort()).toEqual(ids(600).sort())
  })

  it('tells lines that hold no event by place alone, sends the others, and keeps its progress', async () => {
    test = await startReplays()
    const told: string[] = []
    const logger = { info() {}, error() {}, warn: (line: string) => void told.push(line) }
    const long = JSON.stringify(event(9, { x: 'secret'.repeat(400_000) }))
    const dir = folder({
      a: ndjson([event(0), '{"secret', '', '[1]', long, event(1), letter(2, { data: null })]),
      b: `${ndjson([event(3)])}{"messageId":"secret`,
      c: gzipSync(ndjson(events(50, 4))).subarray(0, -12),
      d: Buffer.from('PAR1 and more'),
    })
    const { tally } = await test.run(dir, { logger })
    expect(Object.fromEntries(tally.failed)).toEqual({
      malformed: 3,
      'too long': 1,
      'no event': 1,
      'unreadable file': 2,
    })
    expect(told.slice(0, 4).sort()).toEqual([
      'a, line 2: malformed, as it is no JSON object; give one event a line',
      'a, line 4: malformed, as it is no JSON object; give one event a line',
      'c: cannot be read to its end: unexpected end of file',
      'd: cannot be read to its end: it is Parquet; give NDJSON, plain or gzip',
    ])
    expect(told.join()).not.toContain('secret')
    expect(test.taken('everything').slice(0, 3)).toEqual(['m0', 'm1', 'm3'])
    expect(readFileSync(progressOf(dir), 'utf8')).not.toContain('secret')
  })

  it('counts by source and stream in a dry run, and sends and writes nothing', async () => {
    test = await startReplays({ mappedStreams: { '*': ['everything', 'audit'] } })
    const dir = folder({ a: ndjson([...events(3), letter(4, { source: 'src_app' })]) })
    const { tally } = await test.run(dir, { dryRun: true })
    expect(tally).toMatchObject({ sent: 4, delivered: 0, failures: 0 })
    expect(Object.fromEntries(tally.records)).toEqual({
      'Name of src_web → everything': 3,
      'Name of src_web → audit': 3,
      'Name of src_app → app': 1,
    })
    expect(test.calls).toEqual([])
    expect(existsSync(progressOf(dir))).toBe(false)
  })
})

describe('a replay that is run again', () => {
  it('goes on after an interruption with what was not confirmed', async () => {
    test = await startReplays()
    const dir = folder({ a: ndjson(events(3_000)), b: gzipSync(ndjson(events(2_500, 3_000))) })
    const stop = new AbortController()
    const first = await test.run(dir, { signal: stop.signal, onProgress: () => stop.abort() })
    expect(first.ended).toBe('interrupted')
    expect(test.taken('everything').sort()).toEqual(ids(2_000).sort())
    let chunks = 0
    const again = new AbortController()
    const second = await test.run(dir, {
      signal: again.signal,
      onProgress: () => void (++chunks === 1 && again.abort()),
    })
    expect([second.ended, second.tally.delivered]).toEqual(['interrupted', 2_000])
    expect((await test.run(dir)).tally).toMatchObject({ read: 1_500, delivered: 1_500 })
    expect(test.taken('everything').sort()).toEqual(ids(5_500).sort())
    expect(existsSync(progressOf(dir))).toBe(false)
  })

  it('sends only what failed, to the streams that did not take it', async () => {
    test = await startReplays({ mappedStreams: { '*': ['everything', 'audit'], Bad: 'bad' } })
    const dir = folder({ a: ndjson([...events(5), event(5, { event: 'Bad' }), ...events(5, 6)]) })
    const mend = test.aws.addFault({
      kind: 'error',
      action: 'PutRecordBatch',
      stream: 'bad',
      code: 'ResourceNotFoundException',
      status: 400,
    })
    const first = await test.run(dir)
    expect(Object.fromEntries(first.tally.failed)).toEqual({ ERR_STREAM_UNAVAILABLE: 1 })
    expect(first.tally).toMatchObject({ sent: 11, delivered: 10 })
    mend()
    writeFileSync(join(dir, 'a'), ndjson(events(1, 11)), { flag: 'a' })
    expect((await test.run(dir)).tally).toMatchObject({ read: 2, delivered: 2, failures: 0 })
    expect(test.taken('bad')).toEqual(['m5'])
    expect(test.taken('everything').sort()).toEqual(ids(12).sort())
    expect(test.taken('audit').sort()).toEqual(ids(12).sort())
  })

  it('begins anew with a file that was replaced', async () => {
    test = await startReplays()
    const dir = folder({ a: ndjson([event(0), '{']), b: ndjson(events(1, 1)) })
    await test.run(dir)
    writeFileSync(join(dir, 'a'), ndjson([event(7, { receivedAt: undefined })]))
    expect((await test.run(dir)).tally).toMatchObject({ delivered: 1, failures: 0 })
    expect(test.taken('everything')).toEqual(['m0', 'm1', 'm7'])
  })

  it('stops when too much fails', async () => {
    test = await startReplays()
    const dir = folder({ a: ndjson(Array.from({ length: 30_000 }, () => '{')), b: ndjson(events(1)) })
    const { ended } = await test.run(dir, { maxLeftovers: 100 })
    expect(ended).toBe('too many failures')
    expect(test.taken('everything')).toEqual([])
  })

  it('refuses what is no progress of a replay', async () => {
    test = await startReplays()
    const dir = folder({ a: ndjson(events(1)), '.replay-test.json': '{}' })
    await expect(test.run(dir)).rejects.toThrow('is not the progress of a replay; remove it to begin anew')
  })

  it('sends nothing where it cannot write down what arrives', async () => {
    test = await startReplays()
    const dir = folder({ a: ndjson(events(1)), '.replay-test.json.tmp/file': '' })
    await expect(test.run(dir)).rejects.toThrow(
      'cannot be written (EEXIST), beside the input: let this process write there, or copy the input elsewhere',
    )
    expect(test.calls).toEqual([])
  })
})

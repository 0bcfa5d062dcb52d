import { execFileSync } from 'node:child_process'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Cleanup } from './cleanup.js'
import { type PartName, startPart } from './part.js'
import { elementsOf } from './parts/elements.js'
import type { FirehoseOptions } from './parts/firehose.js'
import { eventNames, writeKeyOf } from './parts/many.js'
import { RecordCounter } from './parts/record-counter.js'
import { Requests } from './parts/requests.js'
import type { Tally } from './parts/stub.js'
import type { TrackerOptions } from './parts/tracker.js'
import { printed } from './report.js'
import { type Listening, startListening, startLoad, startStub, underLoad } from './rig.js'
import { type Measure, ratioOf } from './rounds.js'
import { startServing, WRITE_KEY } from './serving.js'

let cleanup: Cleanup

beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test/bench/tsconfig.json'])
})
beforeEach(() => {
  cleanup = new Cleanup()
})
afterEach(() => cleanup.run())

const start = (name: PartName, options: object) => startListening(name, options, cleanup)

/** Each connection sends one request. */
const BODIES = { eventsInBody: 3, connections: 2 }

describe('the servers', () => {
  it.each<[string, (endpoint: string) => Promise<Listening>]>([
    ['ours', (endpoint) => startServing({ endpoint }, cleanup)],
    ['plain', (endpoint) => start('plain', { endpoint })],
    ['floor', (endpoint) => start('floor', { endpoint })],
  ])('take what the load sends and deliver it to the stub: %s', async (name, startServer) => {
    const stub = await startStub({ delayMs: 0, countsBilledBytes: true }, cleanup)
    const load = await startLoad({ ...BODIES, writeKeys: [WRITE_KEY] }, cleanup)
    const server = await startServer(stub.url)
    expect(await underLoad(name, server, { load, stub: stub.part }).work(0)).toMatchObject({ events: 6 })
    const { records, bytes, billedBytes } = await stub.part.ask<Tally>('tally')
    expect({ records, billedBytes }).toEqual({ records: 6, billedBytes: 6 * 5 * 1_024 })
    expect(bytes).toBeGreaterThan(6 * 1_100)
    const usage = await server.part.usage()
    expect(usage.cpuMs).toBeGreaterThan(0)
    expect(usage.peakRssBytes).toBeGreaterThan(1024 * 1024)
  })

  it('take gzip, and events of all rows and sources of a large configuration', async () => {
    const stub = await startStub({ delayMs: 0 }, cleanup)
    const server = await start('middleware', { endpoint: stub.url, rows: 1_000, sources: 100 })
    const writeKeys = [writeKeyOf(0), writeKeyOf(99)]
    const load = await startLoad(
      { ...BODIES, writeKeys, eventNames: eventNames(1_000, 3), isGzipped: true },
      cleanup,
    )
    const subject = underLoad('middleware', server, { load, stub: stub.part })
    expect(await subject.work(0)).toMatchObject({ events: 6, failures: {} })
  })
})

describe('the clients', () => {
  it.each<[FirehoseOptions['client'], FirehoseOptions['api'], number]>([
    ['ours', 'PutRecordBatch', 1_000],
    ['sdk', 'PutRecordBatch', 1_000],
    ['ours', 'PutRecord', 2],
    ['sdk', 'PutRecord', 2],
  ])('of Firehose put records: %s, %s', async (client, api, records) => {
    const stub = await startStub({ delayMs: 0 }, cleanup)
    const { part } = await startPart('firehose', { client, api, endpoint: stub.url, inFlight: 2 })
    cleanup.defer(() => part.stop())
    expect(await part.ask('work', { seconds: 0 })).toMatchObject({ events: records })
    expect(await stub.part.ask('tally')).toMatchObject({ records })
  })

  it.each<[TrackerOptions['plugin'], number]>([
    ['ours', 30],
    ['segment', 0],
    ['empty', 0],
  ])('of analytics-node track: %s', async (plugin, records) => {
    const stub = await startStub({ delayMs: 0 }, cleanup)
    const { part } = await startPart('tracker', { plugin, url: stub.url, pendingMs: 0 })
    cleanup.defer(() => part.stop())
    // Two batches of Segment's.
    expect(await part.ask('burst', { tracks: 30 })).toMatchObject({ events: 30 })
    expect(await stub.part.ask('tally')).toMatchObject({ records })
  })

  it('fail with what went wrong', async () => {
    const { part } = await startPart('importer', { modules: ['node:fs'] })
    await part.stop()
    const broken = startPart('importer', { modules: ['no-such-module'] })
    await expect(broken).rejects.toThrow('no-such-module')
  })
})

it('a stub that hangs answers once it is healed', async () => {
  const stub = await startStub({ delayMs: 0 }, cleanup)
  await stub.part.ask('hang')
  let answered = false
  const answer = fetch(stub.url, { method: 'POST', body: '{}' }).then((answer) => {
    answered = true
    return answer.status
  })
  await stub.part.ask('tally')
  expect(answered).toBe(false)
  await stub.part.ask('heal')
  expect(await answer).toBe(200)
})

describe('requests', () => {
  it('are never the same', () => {
    const requests = new Requests({ eventsInBody: 2, writeKey: WRITE_KEY })
    // Each is read before the next takes its place.
    const both = requests.next().toString() + requests.next().toString()
    const ids = both.match(/(?<="messageId":")[^"]+/g)
    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(4)
  })

  it('have events of 1.16 KB', () => {
    const [, body] = new Requests({ eventsInBody: 1, writeKey: '' }).next().toString().split('\r\n\r\n')
    expect(Math.round(Buffer.byteLength(body ?? '') / 20)).toBe(Math.round(1_160 / 20))
  })
})

it('records are counted wherever a call is cut in two', () => {
  const call = Buffer.from('{"Records":[{"Data":"YQ=="},{"Data":"Yg=="}]}')
  for (let cut = 0; cut <= call.length; cut++) {
    const counter = new RecordCounter()
    for (const piece of [call.subarray(0, cut), call.subarray(cut)]) counter.add(piece)
    expect(counter.records).toBe(2)
  }
})

it('elements are found whatever is in them', () => {
  const elements = ['{"a":"}],\\"{["}', '{"b":[{},[1,2]]}', '{"c":"\\\\"}']
  const json = Buffer.from(`{"batch":[${elements.join(',')}],"sentAt":"x"}`)
  const found = elementsOf(json, '"batch":[').map(({ start, end }) => json.toString('utf8', start, end))
  expect(found).toEqual(elements)
})

describe('ratios', () => {
  const measures = (...values: readonly number[]): Measure[] =>
    values.map((perSecond) => ({ perSecond, perCpuSecond: 1, peakRssBytes: 1 }))

  it('are those of each round', () => {
    const both = new Map([
      ['a', measures(2, 9)],
      ['b', measures(1, 3)],
    ])
    const ratio = ratioOf(both, { of: 'a', to: 'b', figure: 'perSecond', atLeast: 2 })
    expect(ratio).toEqual({ name: 'a / b: events/s', values: [2, 3], atLeast: 2 })
  })

  it.each([
    [{ atLeast: 2 }, '✓ reached'],
    [{ atLeast: 2.1 }, '✗ not reached'],
    [{ atMost: 2 }, '✓ reached'],
    [{ atMost: 1.9 }, '✗ not reached'],
  ])('are marked by their median: %j', (goal, mark) => {
    const text = printed({ ratios: [{ name: 'a / b', values: [5, 2, 1], ...goal }] })
    expect(text).toContain('2.00 × (1.00 × – 5.00 ×)')
    expect(text).toContain(mark)
  })
})

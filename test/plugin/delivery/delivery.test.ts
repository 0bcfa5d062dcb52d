import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { heldBytes } from '../../../plugin/delivery/held-bytes.js'
import type { RecordOutcome } from '../../../plugin/delivery/outcome.js'
import { FirehoseError } from '../../../plugin/errors.js'
import { type FakeCall, harness, record, records, sized } from './harness.js'

const only = (waiting: readonly FakeCall[]): FakeCall => {
  expect(waiting).toHaveLength(1)
  return waiting[0] as FakeCall
}

const codes = (outcomes: readonly RecordOutcome[]) =>
  outcomes.map((outcome) => (outcome.status === 'failed' ? outcome.error.code : outcome.status))

async function takeAll({ waiting, clock }: Pick<ReturnType<typeof harness>, 'waiting' | 'clock'>) {
  for (let round = 0; round < 1_000; round++) {
    for (const call of [...waiting]) await call.take()
    if (waiting.length === 0 && clock.nextTimerIn === undefined) return
    if (waiting.length === 0) await clock.advance(Math.min(100, clock.nextTimerIn ?? 0))
  }
}

describe('batching', () => {
  it('sends a record at once when a slot is free', async () => {
    const { delivery, waiting, clock } = harness()
    const done = delivery.deliver([record('a')])
    await clock.settle()
    expect(only(waiting)).toMatchObject({ api: 'PutRecordBatch', stream: 's', records: ['a\n'] })
    await only(waiting).take()
    expect(await done).toEqual([{ status: 'delivered', recordId: 'id-0' }])
  })

  it('puts what was handed in during one turn of the event loop into one call', async () => {
    const { delivery, waiting, clock } = harness()
    void delivery.deliver([record('a')])
    void delivery.deliver([record('b')])
    await Promise.resolve()
    void delivery.deliver([record('c')])
    await clock.settle()
    expect(only(waiting).records).toEqual(['a\n', 'b\n', 'c\n'])
  })

  it('gathers records while all slots are busy, and sends them together', async () => {
    const { delivery, waiting, clock } = harness({ concurrency: 1 })
    for (const name of ['a', 'b', 'c']) {
      void delivery.deliver([record(name)])
      await clock.settle()
    }
    expect(only(waiting).records).toEqual(['a\n'])
    await only(waiting).take()
    expect(only(waiting).records).toEqual(['b\n', 'c\n'])
  })

  it('puts 500 records into a call, and the 501st into the next', async () => {
    const { delivery, waiting, clock } = harness()
    void delivery.deliver(records(501))
    await clock.settle()
    expect(waiting.map((call) => call.records.length)).toEqual([500, 1])
  })

  it('fills a call to 4 MiB to the byte', async () => {
    const mib = 1024 * 1024
    const { delivery, waiting, clock } = harness()
    const four = [1_000_000, 1_000_000, 1_000_000, 4 * mib - 3_000_000 - 500_000, 500_000].map((bytes) =>
      sized(bytes),
    )
    void delivery.deliver([...four, sized(1)])
    await clock.settle()
    expect(waiting.map((call) => call.sizes.reduce((sum, size) => sum + size, 0))).toEqual([4 * mib, 1])
  })

  it('takes a record of 1,024,000 bytes and fails one of 1,024,001, uncut', async () => {
    const { delivery, waiting, clock } = harness()
    const done = delivery.deliver([sized(1_024_000), sized(1_024_001)])
    await clock.settle()
    expect(only(waiting).sizes).toEqual([1_024_000])
    await only(waiting).take()
    expect(codes(await done)).toEqual(['delivered', 'ERR_RECORD_TOO_LARGE'])
  })

  it('honours flushAt and flushBytes', async () => {
    const { delivery, waiting, clock } = harness({ flushAt: 2, flushBytes: 100 })
    void delivery.deliver([sized(10), sized(10), sized(10), sized(90), sized(20)])
    await clock.settle()
    expect(waiting.map((call) => call.sizes)).toEqual([[10, 10], [10, 90], [20]])
  })

  it('lets a record wait for company as long as flushInterval, and no longer than the call is full', async () => {
    const { delivery, waiting, clock } = harness({ flushInterval: 1_000, flushAt: 3 })
    void delivery.deliver([record('a')])
    await clock.advance(999)
    expect(waiting).toHaveLength(0)
    await clock.advance(1)
    expect(only(waiting).records).toEqual(['a\n'])
    void delivery.deliver(records(3))
    await clock.settle()
    expect(waiting[1]?.records).toHaveLength(3)
  })

  it('never exceeds the limits of the API, whatever comes in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 1_024_000 }), { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        async (sizes, aggregate) => {
          const h = harness({ aggregation: aggregate ? 'ndjson' : 'off', maxBufferedBytes: 1e9 })
          const done = h.delivery.deliver(sizes.map((size) => sized(size)))
          await h.clock.settle()
          await takeAll(h)
          expect((await done).every((outcome) => outcome.status === 'delivered')).toBe(true)
          let sent = 0
          for (const call of h.calls) {
            const bytes = call.sizes.reduce((sum, size) => sum + size, 0)
            sent += bytes
            expect(call.records.length).toBeLessThanOrEqual(500)
            expect(bytes).toBeLessThanOrEqual(4 * 1024 * 1024)
            expect(Math.max(...call.sizes)).toBeLessThanOrEqual(1_024_000)
          }
          expect(sent).toBe(sizes.reduce((sum, size) => sum + size, 0))
          expect(h.budget.used).toBe(0)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('aggregation', () => {
  it('joins up to 500 documents into one record, within aggregateBytes', async () => {
    const { delivery, waiting, clock } = harness({ aggregation: 'ndjson', aggregateBytes: 2_000 })
    void delivery.deliver(Array.from({ length: 501 }, (_, i) => record(String(i % 10))))
    void delivery.deliver([sized(1_990)])
    await clock.settle()
    expect(only(waiting).sizes).toEqual([1_000, 1_992])
    expect(only(waiting).records[0]?.startsWith('0\n1\n2\n')).toBe(true)
  })

  it('is set by stream, with * for the others', async () => {
    const { delivery, waiting, clock } = harness({
      mappedStreams: { a: 'joined', b: 'apart' },
      aggregation: { joined: 'ndjson', '*': 'off' },
    })
    void delivery.deliver([...records(3, 'joined'), ...records(3, 'apart')])
    await clock.settle()
    expect(waiting.map((call) => [call.stream, call.records.length])).toEqual([
      ['joined', 1],
      ['apart', 3],
    ])
  })

  it('gives every document the outcome of its record', async () => {
    const { delivery, waiting, clock } = harness({ aggregation: 'ndjson', aggregateBytes: 6 })
    const done = delivery.deliver([record('a1'), record('a2'), record('b1'), record('b2')])
    await clock.settle()
    await only(waiting).takeSome((text) => text.startsWith('a'))
    await clock.advance(100)
    expect(only(waiting).records).toEqual(['b1\nb2\n'])
    await only(waiting).take()
    expect((await done).map((outcome) => outcome.status === 'delivered' && outcome.recordId)).toEqual([
      'id-0',
      'id-0',
      'id-1',
      'id-1',
    ])
  })

  it('finds the one invalid document in a record of many', async () => {
    const h = harness({ aggregation: 'ndjson' })
    const done = h.delivery.deliver([...records(7), record('bad'), ...records(4)])
    await h.clock.settle()
    while (h.waiting.length > 0) {
      for (const call of [...h.waiting]) {
        if (call.records.some((text) => text.includes('bad'))) await call.refuse('InvalidArgumentException')
        else await call.take()
      }
    }
    const outcomes = codes(await done)
    expect(outcomes.filter((code) => code === 'delivered')).toHaveLength(11)
    expect(outcomes[7]).toBe('ERR_RECORD_REJECTED')
  })
})

describe('partial failure', () => {
  it('sends again only the records that failed, and reports each with its own RecordId', async () => {
    const { delivery, waiting, clock } = harness()
    const done = delivery.deliver(records(5))
    await clock.settle()
    await only(waiting).takeSome((_, i) => i % 2 === 0)
    await clock.advance(100)
    expect(only(waiting).records).toEqual(['r1\n', 'r3\n'])
    await only(waiting).take()
    expect(await done).toEqual(
      ['id-0', 'id-3', 'id-1', 'id-4', 'id-2'].map((recordId) => ({ status: 'delivered', recordId })),
    )
    expect(delivery.stats()['s']).toMatchObject({ delivered: 5, resent: 2, calls: 2 })
  })

  it('puts failed records before those that wait', async () => {
    const { delivery, waiting, clock } = harness({ concurrency: 1 })
    void delivery.deliver(records(3))
    await clock.settle()
    void delivery.deliver([record('later')])
    await only(waiting).takeSome((_, i) => i === 0)
    await clock.advance(100)
    expect(only(waiting).records).toEqual(['r1\n', 'r2\n', 'later\n'])
  })

  it('reports nothing as delivered that has no RecordId, and sends nothing twice that has one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), { maxLength: 12 }),
        async (count, script) => {
          const h = harness({ flushAt: 7, concurrency: 3 })
          const done = h.delivery.deliver(records(count))
          const taken = new Set<string>()
          let turn = 0
          for (let round = 0; round < 500; round++) {
            await h.clock.settle()
            for (const call of [...h.waiting]) {
              for (const text of call.records) expect(taken.has(text)).toBe(false)
              const pattern = script[turn++]
              const accepts = (i: number) => pattern === undefined || pattern[i % pattern.length] === true
              call.records.forEach((text, i) => {
                if (accepts(i)) taken.add(text)
              })
              await call.takeSome((_, i) => accepts(i))
            }
            if (taken.size === count) break
            await h.clock.advance(100)
          }
          const outcomes = await Promise.race([done, h.clock.advance(60_000).then(() => done)])
          expect(outcomes.filter((outcome) => outcome.status === 'delivered')).toHaveLength(taken.size)
          expect(h.budget.used).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('retry', () => {
  it('waits with full jitter that doubles, up to ten seconds, and starts anew after progress', async () => {
    const { delivery, waiting, clock } = harness({ deliveryTimeout: 600_000 })
    void delivery.deliver([record('a')])
    await clock.settle()
    for (const ceiling of [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]) {
      clock.willDraw(0.5)
      await only(waiting).refuse('InternalFailure')
      expect(waiting).toHaveLength(0)
      await clock.advance(ceiling / 2 - 1)
      expect(waiting).toHaveLength(0)
      await clock.advance(1)
      expect(waiting).toHaveLength(1)
    }
    await only(waiting).take()
    void delivery.deliver([record('b')])
    await clock.settle()
    clock.willDraw(0.5)
    await only(waiting).refuse('InternalFailure')
    await clock.advance(50)
    expect(waiting).toHaveLength(1)
  })

  it('counts calls that fail together as one failure', async () => {
    const { delivery, waiting, clock } = harness({ concurrency: 8, flushAt: 1 })
    void delivery.deliver(records(8))
    await clock.settle()
    expect(waiting).toHaveLength(8)
    clock.willDraw(0.999)
    for (const call of [...waiting]) await call.refuse('InternalFailure')
    await clock.advance(100)
    expect(waiting).toHaveLength(8)
    clock.willDraw(0.999)
    for (const call of [...waiting]) await call.refuse('InternalFailure')
    await clock.advance(150)
    expect(waiting).toHaveLength(0)
    await clock.advance(50)
    expect(waiting).toHaveLength(8)
  })

  it('goes on with a pause when calls that went out before it are throttled in part as well', async () => {
    const { delivery, waiting, clock } = harness({ concurrency: 4, flushAt: 10 })
    void delivery.deliver(records(40))
    await clock.settle()
    expect(waiting).toHaveLength(4)
    clock.willDraw(0.9)
    for (const call of [...waiting]) await call.takeSome((_, i) => i < 5)
    await clock.advance(89)
    expect(waiting).toHaveLength(0)
    await clock.advance(1)
    expect(waiting.length).toBeGreaterThan(0)
  })

  it('makes a long pause a short one when a call that went out before it succeeds', async () => {
    const { delivery, waiting, clock } = harness({ concurrency: 2, flushAt: 1, deliveryTimeout: 600_000 })
    void delivery.deliver(records(2))
    await clock.settle()
    for (let failures = 0; failures < 8; failures++) {
      clock.willDraw(0.999)
      for (const call of [...waiting]) await call.refuse('InternalFailure')
      await clock.advance(10_000)
    }
    const [first, second] = waiting as [FakeCall, FakeCall]
    clock.willDraw(0.999)
    await first.refuse('InternalFailure')
    await second.take()
    await clock.advance(99)
    expect(waiting).toHaveLength(0)
    await clock.advance(1)
    expect(waiting).toHaveLength(1)
  })

  it('lets fewer calls out after throttling, by the share that was throttled, and more again with success', async () => {
    const h = harness({ concurrency: 4, flushAt: 10 })
    const mostInFlight = async (count: number) => {
      void h.delivery.deliver(records(count))
      await h.clock.settle()
      const most = h.waiting.length
      for (let i = 0; i < 50 && h.waiting.length > 0; i++)
        for (const call of [...h.waiting]) await call.take()
      return most
    }
    void h.delivery.deliver(records(10))
    await h.clock.settle()
    await only(h.waiting).takeSome((_, i) => i < 2)
    await h.clock.advance(100)
    await only(h.waiting).take()
    expect(await mostInFlight(100)).toBe(2)
    for (let i = 0; i < 10; i++) await mostInFlight(10)
    expect(await mostInFlight(100)).toBe(4)
  })

  it('fails a record at its deadline, though the call still hangs, and frees its bytes when the call ends', async () => {
    const { delivery, waiting, clock, budget } = harness({ deliveryTimeout: 1_000 })
    const done = delivery.deliver([record('a')])
    await clock.advance(1_100)
    expect(codes(await done)).toEqual(['ERR_DELIVERY_TIMEOUT'])
    expect(budget.used).toBe(heldBytes(record('a').data))
    await only(waiting).take()
    expect(budget.used).toBe(0)
    expect(delivery.stats()['s']).toMatchObject({ delivered: 0, failed: 1, queued: 0 })
  })

  it('is given until the deadline of its last record, where that comes before requestTimeout', async () => {
    const { delivery, waiting, clock } = harness({ deliveryTimeout: 5_000, flushInterval: 1_000 })
    void delivery.deliver([record('a')])
    await clock.advance(500)
    void delivery.deliver([record('b')])
    await clock.advance(500)
    expect(only(waiting).timeoutMs).toBe(4_500)
  })

  it('is given requestTimeout where its records have longer', async () => {
    const { delivery, waiting, clock } = harness()
    void delivery.deliver([record('a')])
    await clock.settle()
    expect(only(waiting).timeoutMs).toBe(5_000)
    await only(waiting).refuse('TimeoutError')
    await clock.advance(200)
    expect(only(waiting).timeoutMs).toBe(10_000)
  })

  it('fails what waits behind hanging calls, and frees its bytes at once', async () => {
    const { delivery, clock, budget } = harness({ deliveryTimeout: 1_000, concurrency: 1 })
    void delivery.deliver([record('a')])
    await clock.settle()
    const done = delivery.deliver(records(100))
    await clock.advance(1_100)
    expect(new Set(codes(await done))).toEqual(new Set(['ERR_DELIVERY_TIMEOUT']))
    expect(budget.used).toBe(heldBytes(record('a').data))
  })

  it('names the last error of AWS when it gives up', async () => {
    const { delivery, waiting, clock } = harness({ deliveryTimeout: 1_000 })
    const done = delivery.deliver([record('a')])
    await clock.settle()
    await only(waiting).refuse('InternalFailure', 'the power is out')
    await clock.advance(2_000)
    const [outcome] = await done
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_DELIVERY_TIMEOUT' } })
    expect(outcome?.status === 'failed' && outcome.error.message).toMatch(/"s".*1000 ms \(the power is out\)/)
    expect(outcome?.status === 'failed' && outcome.error.cause).toMatchObject({ name: 'InternalFailure' })
  })

  it('says once that a stream takes nothing, and once that it does again', async () => {
    const { delivery, waiting, clock, notices } = harness({ deliveryTimeout: 1_000 })
    for (const text of ['a', 'b', 'c']) {
      void delivery.deliver([record(text)])
      await clock.settle()
      for (const call of [...waiting]) await call.refuse('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9')
      await clock.advance(20_000)
      for (const call of [...waiting]) await call.refuse('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:9')
      await clock.advance(20_000)
    }
    void delivery.deliver([record('d')])
    await clock.settle()
    await only(waiting).take()
    expect(notices).toEqual([
      'warn: Stream "s" takes no records, they fail after 1000 ms: connect ECONNREFUSED 127.0.0.1:9',
      'info: Stream "s" takes records again',
    ])
  })

  it('keeps to maxRequestsPerSecond', async () => {
    const { delivery, waiting, clock, calls } = harness({ api: 'PutRecord', maxRequestsPerSecond: 100 })
    void delivery.deliver(records(200))
    for (let ms = 0; ms < 1_000; ms++) {
      await clock.advance(1)
      for (const call of [...waiting]) await call.take()
    }
    // A tenth of the rate at once, then the rate.
    expect(calls.length).toBeGreaterThanOrEqual(105)
    expect(calls.length).toBeLessThanOrEqual(111)
  })
})

describe('invalid records', () => {
  it('splits the call until the bad record stands alone, and rejects that one', async () => {
    const h = harness()
    const done = h.delivery.deliver([...records(300), record('bad'), ...records(199)])
    await h.clock.settle()
    while (h.waiting.length > 0) {
      for (const call of [...h.waiting]) {
        if (call.records.includes('bad\n')) await call.refuse('InvalidArgumentException', 'no such thing')
        else await call.take()
      }
    }
    const outcomes = await done
    expect(codes(outcomes).filter((code) => code === 'delivered')).toHaveLength(499)
    expect(outcomes[300]).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_RECORD_REJECTED', permanent: true },
    })
    expect(h.calls.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(500)))
    // What a call with a good answer carried is never sent again.
    expect(h.delivery.stats()['s']?.delivered).toBe(499)
  })

  it('keeps the parts of an invalid call apart while they are retried', async () => {
    const { delivery, waiting, clock } = harness({ concurrency: 1 })
    void delivery.deliver(records(4))
    await clock.settle()
    await only(waiting).refuse('InvalidArgumentException')
    expect(only(waiting).records).toEqual(['r0\n', 'r1\n'])
    await only(waiting).refuse('InternalFailure')
    await clock.advance(100)
    expect(only(waiting).records).toEqual(['r0\n', 'r1\n'])
    await only(waiting).take()
    expect(only(waiting).records).toEqual(['r2\n', 'r3\n'])
  })
})

describe('a stream that someone has to mend', () => {
  it('fails at once, says so once, and is looked at again from time to time until it heals', async () => {
    const { delivery, waiting, clock, notices } = harness({ api: 'PutRecordBatch' })
    const first = delivery.deliver(records(3))
    await clock.settle()
    clock.willDraw(0.5)
    await only(waiting).refuse('ResourceNotFoundException', 'Firehose s under account 1 not found.')
    expect(codes(await first)).toEqual(Array(3).fill('ERR_STREAM_UNAVAILABLE'))
    expect(delivery.stats()['s']?.circuit).toBe('open')

    expect(codes(await delivery.deliver([record('while open')]))).toEqual(['ERR_STREAM_UNAVAILABLE'])
    expect(waiting).toHaveLength(0)

    await clock.advance(1_000)
    expect(delivery.stats()['s']?.circuit).toBe('half-open')
    const probe = delivery.deliver(records(501))
    await clock.settle()
    expect(only(waiting).records).toHaveLength(500)
    await only(waiting).take()
    expect(delivery.stats()['s']?.circuit).toBe('closed')
    await only(waiting).take()
    expect(new Set(codes(await probe))).toEqual(new Set(['delivered']))
    expect(notices).toEqual([
      'error: Stream "s" cannot be written, records fail until it can: Firehose s under account 1 not found.',
      'info: Stream "s" takes records again',
    ])
  })

  it('waits longer after each probe that fails', async () => {
    const { delivery, waiting, clock } = harness()
    const pauses: number[] = []
    for (let i = 0; i < 8; i++) {
      void delivery.deliver([record('a')])
      await clock.settle()
      clock.willDraw(0.5)
      await only(waiting).refuse('ResourceNotFoundException')
      const openedAt = clock.now()
      while (delivery.stats()['s']?.circuit === 'open') await clock.advance(100)
      pauses.push(clock.now() - openedAt)
    }
    expect(pauses).toEqual([1_000, 1_500, 2_500, 4_500, 8_500, 15_500, 15_500, 15_500])
  })

  it('does not touch the other streams', async () => {
    const { delivery, waiting, clock } = harness()
    const bad = delivery.deliver([record('a', 'bad')])
    const good = delivery.deliver([record('a', 'good')])
    await clock.settle()
    await waiting.find((call) => call.stream === 'bad')?.refuse('ResourceNotFoundException')
    await only(waiting).take()
    expect(codes(await bad)).toEqual(['ERR_STREAM_UNAVAILABLE'])
    expect(codes(await good)).toEqual(['delivered'])
  })

  it('a throttled stream does not slow another', async () => {
    const { delivery, waiting, clock } = harness()
    void delivery.deliver(records(10, 'slow'))
    await clock.settle()
    for (let i = 0; i < 5; i++) {
      for (const call of [...waiting]) await call.refuse('ServiceUnavailableException')
      await clock.advance(i * 1_000)
    }
    for (let i = 0; i < 20; i++) {
      const done = delivery.deliver([record('a', 'quick')])
      await clock.settle()
      await waiting.find((call) => call.stream === 'quick')?.take()
      expect(codes(await done)).toEqual(['delivered'])
    }
  })
})

describe('a role that allows PutRecord alone', () => {
  const denied = 'User is not authorized to perform: firehose:PutRecordBatch'

  it('falls back to PutRecord, concurrently, and says once which statement to add', async () => {
    const { delivery, waiting, clock, notices } = harness({
      roleAddress: 'arn:aws-cn:iam::123456789012:role/r',
      region: 'cn-north-1',
    })
    const done = delivery.deliver(records(60))
    await clock.settle()
    await only(waiting).refuse('AccessDeniedException', denied)
    // One PutRecord tells whether that is allowed.
    expect(only(waiting)).toMatchObject({ api: 'PutRecord', records: ['r0\n'] })
    await only(waiting).take()
    expect(waiting.length).toBe(50)
    while (waiting.length > 0) for (const call of [...waiting]) await call.take()
    expect(new Set(codes(await done))).toEqual(new Set(['delivered']))
    expect(notices).toHaveLength(1)
    const statement = JSON.parse(/Add to its policy: (\{.*\})$/.exec(notices[0] as string)?.[1] as string)
    expect(statement).toEqual({
      Effect: 'Allow',
      Action: ['firehose:PutRecord', 'firehose:PutRecordBatch'],
      Resource: ['arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/s'],
    })
    expect(delivery.stats()['s']).toMatchObject({ api: 'PutRecord', delivered: 60 })
  })

  it('goes back to PutRecordBatch after an hour, once the policy allows it, without another notice', async () => {
    const { delivery, waiting, clock, notices } = harness()
    void delivery.deliver([record('a')])
    await clock.settle()
    await only(waiting).refuse('AccessDeniedException', denied)
    await only(waiting).take()
    await clock.advance(3_600_000)
    void delivery.deliver([record('b')])
    await clock.settle()
    expect(only(waiting).api).toBe('PutRecordBatch')
    await only(waiting).take()
    expect(notices).toHaveLength(1)
  })

  it('falls back when several batches under way are refused', async () => {
    const { delivery, waiting, clock } = harness({ flushAt: 5 })
    const done = delivery.deliver(records(15))
    await clock.settle()
    expect(waiting).toHaveLength(3)
    for (const call of [...waiting]) await call.refuse('AccessDeniedException', denied)
    while (waiting.length > 0) for (const call of [...waiting]) await call.take()
    expect(codes(await done)).toEqual(Array(15).fill('delivered'))
  })

  it('parks the stream where neither is allowed', async () => {
    const { delivery, waiting, clock } = harness()
    const done = delivery.deliver(records(2))
    await clock.settle()
    await only(waiting).refuse('AccessDeniedException', denied)
    await only(waiting).refuse('AccessDeniedException', 'nor PutRecord')
    expect(codes(await done)).toEqual(['ERR_STREAM_UNAVAILABLE', 'ERR_STREAM_UNAVAILABLE'])
    await clock.advance(2_000)
    void delivery.deliver([record('a')])
    await clock.settle()
    expect(only(waiting).api).toBe('PutRecordBatch')
  })

  it('does not fall back where the settings name the API', async () => {
    const { delivery, waiting, clock } = harness({ api: 'PutRecordBatch' })
    const done = delivery.deliver([record('a')])
    await clock.settle()
    await only(waiting).refuse('AccessDeniedException', denied)
    expect(codes(await done)).toEqual(['ERR_STREAM_UNAVAILABLE'])
  })
})

describe('memory', () => {
  it('fails what does not fit under maxBufferedBytes, and takes more when there is room again', async () => {
    const { delivery, waiting, clock } = harness({ maxBufferedBytes: 2_000_000 })
    const done = delivery.deliver([sized(999_000), sized(999_000), sized(1_000)])
    expect(delivery.hasRoomFor(1_000)).toBe(false)
    await clock.settle()
    await only(waiting).take()
    expect(codes(await done)).toEqual(['delivered', 'delivered', 'ERR_BUFFER_FULL'])
    expect(delivery.hasRoomFor(2_000_000)).toBe(true)
  })

  it('counts what small records take beside their data, and a record of any size fits alone', async () => {
    const parts = harness({ maxBufferedBytes: 1_024_000 })
    const { delivery, waiting, clock } = parts
    const small = delivery.deliver(records(3_000))
    await clock.settle()
    await takeAll(parts)
    const outcomes = codes(await small)
    expect(outcomes.filter((it) => it === 'delivered').length).toBeLessThan(2_000)
    expect(new Set(outcomes)).toEqual(new Set(['delivered', 'ERR_BUFFER_FULL']))
    const largest = delivery.deliver([sized(1_024_000)])
    await clock.settle()
    await waiting.at(-1)?.take()
    expect(codes(await largest)).toEqual(['delivered'])
    expect(delivery.hasRoomFor(1_024_000)).toBe(true)
  })

  it('counts records that never got in as failed', async () => {
    const { delivery, waiting, clock } = harness()
    void delivery.deliver([record('a')])
    await clock.settle()
    await only(waiting).take()
    await delivery.deliver([sized(2_000_000)])
    expect(delivery.stats()['s']).toMatchObject({ delivered: 1, failed: 1 })
  })

  it('fails a record that carries an error, with that error', async () => {
    const { delivery } = harness()
    const error = new FirehoseError('ERR_UNSERIALIZABLE', 'a BigInt')
    expect(await delivery.deliver([{ stream: 's', data: new Uint8Array(0), error }])).toEqual([
      { status: 'failed', error },
    ])
  })

  it('settles an empty hand-in at once', async () => {
    expect(await harness().delivery.deliver([])).toEqual([])
  })
})

describe('flush', () => {
  it('does not wait for flushInterval, and resolves when all that was queued is settled', async () => {
    const { delivery, waiting, clock } = harness({ flushInterval: 10_000 })
    void delivery.deliver(records(3))
    await clock.settle()
    let flushed = false
    const done = delivery.flush().then(() => {
      flushed = true
    })
    await clock.settle()
    expect(only(waiting).records).toHaveLength(3)
    expect(flushed).toBe(false)
    expect(clock.holds).toBe(1)
    await only(waiting).take()
    await done
    expect(clock.holds).toBe(0)
  })

  it('resolves at once when nothing is queued', async () => {
    await harness().delivery.flush()
  })
})

describe('the process', () => {
  it('is kept alive until what was handed in is settled', async () => {
    const { delivery, waiting, clock } = harness()
    expect(clock.holds).toBe(0)
    const outcomes = [delivery.deliver(records(1)), delivery.deliver(records(1, 't'))]
    await clock.settle()
    await (waiting[0] as FakeCall).refuse('InternalFailure')
    await (waiting[0] as FakeCall).take()
    expect(clock.holds).toBe(1)
    await clock.advance(30_025)
    await Promise.all(outcomes)
    expect(clock.holds).toBe(0)
  })
})

describe('close', () => {
  it('takes nothing more, delivers the rest, and reports by stream', async () => {
    const { delivery, waiting, clock } = harness({ flushInterval: 10_000 })
    void delivery.deliver([...records(2, 'a'), ...records(1, 'b')])
    const closed = delivery.close()
    expect(codes(await delivery.deliver([record('late')]))).toEqual(['ERR_CLOSED'])
    await clock.settle()
    for (const call of [...waiting]) await call.take()
    expect(await closed).toEqual({
      a: { delivered: 2, spilled: 0, failed: 0 },
      b: { delivered: 1, spilled: 0, failed: 0 },
    })
    expect(await delivery.close()).toEqual(await closed)
    expect(clock.timers).toBe(0)
  })

  it('fails what is left at its timeout, under way or not', async () => {
    const { delivery, waiting, clock } = harness({ concurrency: 1 })
    const first = delivery.deliver(records(1))
    await clock.settle()
    const second = delivery.deliver(records(1))
    const closed = delivery.close({ timeout: 500 })
    await clock.advance(500)
    expect(codes([...(await first), ...(await second)])).toEqual(['ERR_CLOSED', 'ERR_CLOSED'])
    expect(await closed).toEqual({ s: { delivered: 0, spilled: 0, failed: 2 } })
    await only(waiting).take()
    expect(waiting).toHaveLength(0)
  })

  it('ends sooner where it is asked again with less time, and not later', async () => {
    const { delivery, clock } = harness()
    void delivery.deliver(records(1))
    const closed = delivery.close({ timeout: 5_000 })
    void delivery.close({ timeout: 500 })
    void delivery.close({ timeout: 60_000 })
    await clock.advance(500)
    expect(await closed).toEqual({ s: { delivered: 0, spilled: 0, failed: 1 } })
    expect(clock.timers).toBe(0)
  })
})

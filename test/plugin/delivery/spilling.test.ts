import { describe, expect, it } from '@jest/globals'
import type { FirehoseError } from '../../../plugin/errors.js'
import type { DestinationSettings } from '../../../plugin/settings/settings.js'
import {
  type Spill,
  type SpillClaim,
  type SpillTarget,
  UnfitRecordError,
} from '../../../plugin/spill/spill.js'
import { harness, record, records } from './harness.js'

const TARGET: SpillTarget = { key: '0123456789abcdef', stream: 's' }

/** A spill in memory: one claim an append, and what was done with it. */
class FakeSpill implements Spill {
  readonly kept: (readonly Uint8Array[])[] = []
  readonly log: string[] = []
  /** How many appends came in each turn of the event loop. */
  readonly turns: number[] = []
  #isSameTurn = false
  isFull = false
  /** What the next append comes to; a test may hold it up. */
  appended: () => Promise<void> = async () => {}
  isHeldElsewhere = false

  async append(_target: SpillTarget, given: readonly Uint8Array[]): Promise<void> {
    this.#countTurn()
    await this.appended()
    if (given.some((record) => Buffer.from(record).includes('unfit'))) throw new UnfitRecordError('unfit')
    this.kept.push(given)
  }

  async claim(target: SpillTarget): Promise<SpillClaim | undefined> {
    const own = this.kept.shift()
    if (own === undefined) return undefined
    return {
      target,
      records: own,
      done: async () => void this.log.push(`done ${own.length}`),
      release: async (left = own.map((_, i) => i)) => {
        this.log.push(`left ${left.join()}`)
        this.kept.unshift(left.map((i) => own[i] as Uint8Array))
      },
    }
  }

  #countTurn(): void {
    if (this.#isSameTurn) this.turns.push((this.turns.pop() ?? 0) + 1)
    else this.turns.push(1)
    this.#isSameTurn = true
    setImmediate(() => {
      this.#isSameTurn = false
    })
  }

  targets(): readonly SpillTarget[] {
    return this.kept.length > 0 || this.isHeldElsewhere ? [TARGET] : []
  }

  stats() {
    return { files: this.kept.length, records: this.kept.flat().length, bytes: 0, oldestAgeMs: undefined }
  }

  canTake(): boolean {
    return !this.isFull
  }

  /** Resolved unless a test takes it back. */
  opening = Promise.resolve()

  opened(): Promise<void> {
    return this.opening
  }

  async close(): Promise<void> {}
}

function spilling(
  settings: Partial<DestinationSettings> = {},
  drainShare = 0.25,
  prepare: (spill: FakeSpill) => void = () => {},
  owner?: () => string,
) {
  const spill = new FakeSpill()
  prepare(spill)
  const rejected: string[] = []
  let quarantine = async (_error: FirehoseError) => {}
  const made = harness(
    { deliveryTimeout: 1_000, ...settings },
    {
      store: spill,
      drainShare,
      targetOf: (stream) => ({ ...TARGET, stream }),
      quarantine: async (_stream, record, error) => {
        await quarantine(error)
        rejected.push(Buffer.from(record).toString().trim())
      },
    },
    owner,
  )
  const failQuarantine = () => {
    quarantine = () => Promise.reject(new Error('the disk is full'))
  }
  /** From now on each is kept only once so many wait to be. */
  const quarantineOnly = (count: number) => {
    let resolve = () => {}
    const enough = new Promise<void>((done) => {
      resolve = done
    })
    let waiting = 0
    quarantine = () => {
      if (++waiting === count) resolve()
      return enough
    }
  }
  return { ...made, spill, rejected, failQuarantine, quarantineOnly }
}

const texts = (given: readonly (readonly Uint8Array[])[]) =>
  given.flat().map((data) => Buffer.from(data).toString().trim())

describe('a record that is not delivered in time', () => {
  it('is spilled, and only then told so', async () => {
    const { delivery, clock, spill } = spilling()
    let kept = () => {}
    spill.appended = () =>
      new Promise((resolve) => {
        kept = resolve
      })
    let outcomes: unknown
    void delivery.deliver(records(2)).then((given) => {
      outcomes = given
    })
    await clock.advance(1_150)
    expect(outcomes).toBeUndefined()
    kept()
    await clock.settle()
    expect(outcomes).toEqual([{ status: 'spilled' }, { status: 'spilled' }])
    expect(texts(spill.kept)).toEqual(['r0', 'r1'])
    expect(delivery.stats()['s']).toMatchObject({ spilled: 2, failed: 0, delivered: 0 })
  })

  it('fails with both reasons where the spill does not take it', async () => {
    const { delivery, clock, budget, spill, waiting } = spilling()
    spill.appended = () => Promise.reject(new Error('no space left'))
    const delivered = delivery.deliver(records(1))
    await clock.advance(1_150)
    expect(await delivered).toEqual([
      {
        status: 'failed',
        error: expect.objectContaining({
          code: 'ERR_SPILL',
          message:
            'The record for stream "s" could be neither delivered (ERR_DELIVERY_TIMEOUT) nor spilled: no space left',
        }),
      },
    ])
    await waiting[0]?.take()
    expect(budget.used).toBe(0)
  })

  it('is spilled though a record beside it cannot be', async () => {
    const { delivery, clock, spill } = spilling()
    const delivered = delivery.deliver([...records(2), record('unfit'), ...records(2)])
    const others = delivery.deliver(records(1))
    await clock.advance(2_000)
    expect((await delivered).map(({ status }) => status)).toEqual([
      'spilled',
      'spilled',
      'failed',
      'spilled',
      'spilled',
    ])
    expect(await others).toEqual([{ status: 'spilled' }])
    expect(texts(spill.kept)).toHaveLength(5)
  })

  it('is delivered where its call comes back while it is being spilled', async () => {
    const { delivery, clock, spill, waiting } = spilling()
    let kept = () => {}
    spill.appended = () =>
      new Promise((resolve) => {
        kept = resolve
      })
    const delivered = delivery.deliver(records(1))
    await clock.advance(1_050)
    await waiting[0]?.take()
    expect(await delivered).toEqual([{ status: 'delivered', recordId: 'id-0' }])
    kept()
    await clock.settle()
    expect(delivery.stats()['s']).toMatchObject({ spilled: 0, delivered: 1 })
  })

  it('is not spilled where its call comes back before it is', async () => {
    const { delivery, clock, spill, waiting } = spilling()
    const delivered = delivery.deliver(records(2))
    await clock.advance(1_050)
    await waiting[0]?.takeSome((text) => text.startsWith('r0'))
    await clock.advance(200)
    expect((await delivered).map(({ status }) => status)).toEqual(['delivered', 'spilled'])
    expect(texts(spill.kept)).toEqual(['r1'])
  })

  it('is spilled before a call that would be answered too late', async () => {
    const { delivery, clock, spill, waiting, calls } = spilling({ concurrency: 1 })
    // AWS takes 800 ms for each call.
    for (let call = 0; call < 10; call++) {
      void delivery.deliver(records(1))
      await clock.advance(800)
      await waiting[0]?.take()
    }
    const first = delivery.deliver([record('first')])
    await clock.settle()
    const second = delivery.deliver([record('second')])
    await clock.advance(800)
    await waiting[0]?.take()
    await clock.advance(200)
    expect([await first, await second]).toMatchObject([[{ status: 'delivered' }], [{ status: 'spilled' }]])
    expect(texts(spill.kept)).toEqual(['second'])
    expect(calls.flatMap(({ records }) => records)).not.toContain('second\n')
  })

  it('is not sent again by whom it was taken from', async () => {
    const { delivery, clock, waiting, calls } = spilling()
    void delivery.deliver(records(1))
    await clock.advance(1_050)
    await waiting[0]?.takeSome(() => false)
    await clock.advance(200)
    expect(calls.filter(({ records: [text] }) => text?.trim() === 'r0')).toHaveLength(1)
  })

  it('is spilled at once where the stream is parked', async () => {
    const { delivery, clock, spill, notices, waiting } = spilling()
    const first = delivery.deliver(records(1))
    await clock.settle()
    await waiting[0]?.refuse('ResourceNotFoundException')
    expect(notices).toEqual([expect.stringContaining('cannot be written, records are spilled until it can')])
    const second = delivery.deliver(records(1, 's'))
    await clock.advance(100)
    expect([await first, await second]).toEqual([[{ status: 'spilled' }], [{ status: 'spilled' }]])
    // Together, as they came together: the spill makes one file of them.
    expect(spill.turns).toEqual([2])
    expect(delivery.takes('s')).toBe(true)
    spill.isFull = true
    expect(delivery.takes('s')).toBe(false)
    expect(delivery.takes('another')).toBe(true)
  })
})

describe('the spill', () => {
  it('is sent with more time than a live record has: nobody waits, and a call that is cut makes a duplicate', async () => {
    const { clock, spill, waiting } = spilling({ deliveryTimeout: 1_000 })
    spill.kept.push([Buffer.from('a\n')])
    await clock.settle()
    expect(waiting[0]?.timeoutMs).toBe(1_000)
    await waiting[0]?.refuse('TimeoutError')
    await clock.advance(200)
    expect(waiting[0]?.timeoutMs).toBe(2_000)
    await clock.advance(1_900)
    await waiting[0]?.take()
    expect(spill.kept).toEqual([])
  })

  it('goes out when an earlier process left something, oldest first, and that is told', async () => {
    const { clock, spill, notices, waiting } = spilling()
    spill.kept.push([Buffer.from('a\n'), Buffer.from('b\n')], [Buffer.from('c\n')])
    await clock.settle()
    expect(waiting[0]?.records).toEqual(['a\n', 'b\n'])
    await waiting[0]?.take()
    expect(spill.log).toEqual(['done 2'])
    expect(waiting[0]?.records).toEqual(['c\n'])
    await waiting[0]?.take()
    expect(spill.log).toEqual(['done 2', 'done 1'])
    expect(notices).toEqual(['info: The spill of stream "s" is empty: 3 record(s) sent from it'])
  })

  it('is told with whose it is, where that is known', async () => {
    const { clock, spill, notices, waiting } = spilling({}, 0.25, undefined, () => 'Website')
    spill.kept.push([Buffer.from('a\n')])
    await clock.settle()
    await waiting[0]?.take()
    expect(notices).toEqual(['info: The spill of stream "s" of Website is empty: 1 record(s) sent from it'])
  })

  it('goes out as soon as it is open', async () => {
    let open = () => {}
    const { clock, spill, waiting } = spilling({}, 0.25, (spill) => {
      spill.opening = new Promise((resolve) => {
        open = resolve
      })
    })
    spill.kept.push([Buffer.from('a\n')])
    await clock.advance(60_000)
    expect(waiting).toEqual([])
    open()
    await clock.settle()
    expect(waiting[0]?.records).toEqual(['a\n'])
  })

  it('is not said to be empty while others hold some of it', async () => {
    const { clock, spill, notices, waiting } = spilling()
    spill.kept.push([Buffer.from('a\n')])
    await clock.settle()
    spill.isHeldElsewhere = true
    await waiting[0]?.take()
    expect(spill.log).toEqual(['done 1'])
    expect(notices).toEqual([])
    await clock.advance(20_000)
    expect(notices).toEqual([])
    spill.isHeldElsewhere = false
    spill.kept.push([Buffer.from('b\n')])
    await clock.advance(10_000)
    await waiting[0]?.take()
    expect(notices).toEqual(['info: The spill of stream "s" is empty: 2 record(s) sent from it'])
  })

  it('takes its share of the calls, and no more', async () => {
    const { clock, spill, waiting } = spilling({ flushAt: 10 })
    spill.kept.push(Array.from({ length: 100 }, (_, i) => Buffer.from(`s${i}\n`)))
    await clock.settle()
    expect(waiting).toHaveLength(2)
    for (let taken = 0; taken < 10; taken++) await waiting[0]?.take()
    expect(spill.log).toEqual(['done 100'])
  })

  it('gives back what is left at the first sign of a sick stream, and tries again', async () => {
    const { delivery, clock, spill, waiting } = spilling({ flushAt: 2 })
    spill.kept.push(Array.from({ length: 6 }, (_, i) => Buffer.from(`s${i}\n`)))
    await clock.settle()
    await waiting[0]?.take()
    await waiting[0]?.refuse('ResourceNotFoundException')
    expect(spill.log).toEqual(['left 2,3,4,5'])
    // They wait on: nothing has failed for good.
    expect(delivery.stats()['s']).toMatchObject({ delivered: 2, failed: 0 })
    for (let second = 0; second < 60 && waiting.length === 0; second++) await clock.advance(1_000)
    await waiting[0]?.take()
    for (let i = 0; i < 4; i++) await waiting[0]?.take()
    expect(spill.log).toEqual(['left 2,3,4,5', 'done 4'])
  })

  it('goes on as soon as the stream takes a live record', async () => {
    const { delivery, clock, spill, waiting, calls } = spilling()
    void delivery.deliver(records(1))
    await clock.advance(1_050)
    await waiting[0]?.refuse('InternalFailure')
    const live = delivery.deliver(records(1, 's'))
    await clock.advance(150)
    const before = calls.length
    await waiting.at(-1)?.take()
    expect(await live).toMatchObject([{ status: 'delivered' }])
    expect(calls.length).toBeGreaterThanOrEqual(before)
    await waiting[0]?.take()
    expect(spill.log).toEqual(['done 1'])
  })

  it('lets go of a record that Firehose refuses for good, once that is kept', async () => {
    const { clock, spill, rejected, waiting } = spilling()
    spill.kept.push([Buffer.from('bad\n')])
    await clock.settle()
    await waiting[0]?.refuse('InvalidArgumentException')
    expect([rejected, spill.log]).toEqual([['bad'], ['done 1']])
  })

  it('hands over together all records that Firehose refuses for good', async () => {
    const { clock, spill, rejected, waiting, quarantineOnly } = spilling()
    quarantineOnly(3)
    spill.kept.push([Buffer.from('bad 1\n'), Buffer.from('bad 2\n'), Buffer.from('bad 3\n')])
    await clock.settle()
    while (waiting.length > 0) await waiting[0]?.refuse('InvalidArgumentException')
    await clock.settle()
    expect([rejected.sort(), spill.log]).toEqual([['bad 1', 'bad 2', 'bad 3'], ['done 3']])
  })

  it('keeps it where it cannot be kept elsewhere, and says so', async () => {
    const { clock, spill, failQuarantine, notices, waiting } = spilling()
    failQuarantine()
    spill.kept.push([Buffer.from('bad\n')])
    await clock.settle()
    await waiting[0]?.refuse('InvalidArgumentException')
    expect(spill.log).toEqual(['left 0'])
    expect(notices.at(-1)).toBe('error: The spill of stream "s" cannot be emptied for now: the disk is full')
  })

  it('sends no record again that was delivered beside one that cannot be kept elsewhere', async () => {
    const { clock, spill, failQuarantine, waiting, notices } = spilling()
    failQuarantine()
    spill.kept.push([Buffer.from('good\n'), Buffer.from('bad\n'), Buffer.from('bad too\n')])
    await clock.settle()
    await waiting[0]?.refuse('InvalidArgumentException')
    while (waiting.length > 0) {
      const [call] = waiting
      if (call?.records.some((text) => text.startsWith('bad'))) await call.refuse('InvalidArgumentException')
      else await call?.take()
    }
    expect(spill.log).toEqual(['left 1,2'])
    expect(notices.filter((notice) => notice.includes('the disk is full'))).toHaveLength(1)
  })

  it('goes on past a record that cannot be kept elsewhere', async () => {
    const { clock, spill, failQuarantine, waiting } = spilling({ flushAt: 1 }, 0.01)
    failQuarantine()
    spill.kept.push([Buffer.from('bad\n'), Buffer.from('good\n')])
    await clock.settle()
    await waiting[0]?.refuse('InvalidArgumentException')
    expect(waiting[0]?.records).toEqual(['good\n'])
    await waiting[0]?.take()
    expect(spill.log).toEqual(['left 0'])
  })

  it('is not drained by a delivery that is closed, whatever that spills last', async () => {
    const { delivery, clock, spill } = spilling()
    const delivered = delivery.deliver(records(1))
    await clock.settle()
    const closed = delivery.close({ timeout: 100 })
    await clock.advance(100)
    await closed
    expect(await delivered).toEqual([{ status: 'spilled' }])
    await clock.advance(60_000)
    expect(spill.log).toEqual([])
    expect(clock.timers).toBe(0)
  })

  it('is given back what was under way when it closes', async () => {
    const { delivery, clock, spill, waiting } = spilling()
    spill.kept.push([Buffer.from('a\n')])
    await clock.settle()
    expect(waiting).toHaveLength(1)
    const closed = delivery.close({ timeout: 100 })
    await clock.advance(100)
    await closed
    expect(spill.log).toEqual(['left 0'])
    expect(clock.timers).toBe(0)
  })
})

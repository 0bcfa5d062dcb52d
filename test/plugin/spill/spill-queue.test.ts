import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { afterEach, describe, expect, it } from '@jest/globals'
import { decodeMessage } from '../../../plugin/spill/queue-message.js'
import { warnOfLoss } from '../../../plugin/spill/queue-settings.js'
import type { Spill, SpillTarget } from '../../../plugin/spill/spill.js'
import { openSpillQueue } from '../../../plugin/spill/spill-queue.js'
import { FakeClock } from '../../fake-clock.js'
import { APP, claimed, drain, idsOf, records, silentLogger, WEB } from './harness.js'
import { cleanUpQueues, queueHarness, UNTIL_VISIBLE_MS } from './queue-harness.js'

afterEach(cleanUpQueues)

const otherTarget = (n: number): SpillTarget => ({ ...WEB, key: n.toString(16).padStart(16, '0') })

describe('processes on one queue', () => {
  it('claim disjoint sets, of which nothing is missing', async () => {
    const { open } = await queueHarness()
    const spills = await Promise.all([open(), open(), open()])
    for (let n = 0; n < 40; n++) await spills[0]?.append(WEB, records(n))
    const found = await Promise.all(spills.map((spill) => drain(spill)))
    expect(found.flat().sort()).toEqual(Array.from({ length: 40 }, (_, n) => String(n)).sort())
  })

  it('find out for whom there is something, at the start and later', async () => {
    const { open, beat } = await queueHarness()
    const writer = await open()
    await writer.append(WEB, records('a'))
    const drainer = await open()
    expect(drainer.targets()).toEqual([WEB])
    await writer.append(APP, records('b'))
    expect(drainer.targets()).toEqual([WEB])
    await beat()
    // Whichever looked first has it now.
    expect([...writer.targets(), ...drainer.targets()]).toContainEqual(APP)
    expect((await Promise.all([drain(writer, WEB, APP), drain(drainer, WEB, APP)])).flat().sort()).toEqual([
      'a',
      'b',
    ])
  })

  it('keep their claims as long as they live', async () => {
    const { open, beat } = await queueHarness()
    const [first, second] = [await open(), await open()]
    await first.append(WEB, records('a'))
    const claim = await claimed(first)
    for (let beats = 0; beats < 10; beats++) await beat()
    expect(await second.claim(WEB)).toBeUndefined()
    await claim.done()
    for (let beats = 0; beats < 4; beats++) await beat()
    expect(await drain(second)).toEqual([])
    expect(second.stats().files).toBe(0)
  })

  it('take over what a dead one had', async () => {
    const { open, client, queueUrl, clock } = await queueHarness()
    const spill = await open()
    await spill.append(WEB, records('a'))
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, VisibilityTimeout: UNTIL_VISIBLE_MS / 1000 }),
    )
    expect(Messages).toHaveLength(1)
    expect(await drain(spill)).toEqual([])
    await clock.advance(UNTIL_VISIBLE_MS)
    expect(await drain(spill)).toEqual(['a'])
  })

  it('see in their stats what the others wrote and finished', async () => {
    const { open, clock, count, until } = await queueHarness()
    const [first, second] = [await open(), await open()]
    await first.append(WEB, records('a', 'b'))
    expect(second.stats().files).toBe(0)
    await clock.advance(5_000)
    const looks = count('GetQueueAttributes')
    second.stats()
    await until(() => count('GetQueueAttributes') > looks && second.stats().files === 1)
    expect(count('GetQueueAttributes')).toBe(looks + 1)
    expect(second.stats()).toEqual({ files: 1, records: 1, bytes: 0, oldestAgeMs: undefined })
  })

  it('stop counting the age of what the others finished', async () => {
    const { open, beat } = await queueHarness()
    const first = await open()
    await first.append(WEB, records('a'))
    const second = await open()
    for (let n = 0; n < 6; n++) {
      const claim = await claimed(second)
      await first.append(WEB, records(n))
      await claim.done()
      await second.append(APP, records(n))
      expect(await drain(second, APP)).toEqual([String(n)])
      await beat()
    }
    expect(first.stats().files).toBe(1)
    expect(first.stats().oldestAgeMs).toBeLessThanOrEqual(120_000)
    expect(second.stats().oldestAgeMs).toBe(30_000)
  })

  it('tell the age of what they hold for as long as it is not delivered', async () => {
    const { open, beat } = await queueHarness()
    const [first, second] = [await open(), await open()]
    await first.append(WEB, records('a'))
    const claim = await claimed(first)
    for (let n = 0; n < 6; n++) {
      await first.append(APP, records(n))
      await drain(second, APP)
      await beat()
    }
    expect(first.stats().oldestAgeMs).toBe(180_000)
    await claim.release()
    await beat()
    expect(first.stats().oldestAgeMs).toBe(210_000)
  })
})

describe('a process that was stopped for longer than its messages are hidden', () => {
  /** A claim of one message by a process whose clock stands still, and the claim of another that has it since. */
  async function claimedTwice() {
    const harness = await queueHarness()
    const { open, clock, client, queueUrl, logger } = harness
    const stopped = await openSpillQueue({
      queueUrl,
      region: 'us-west-2',
      clock: new FakeClock(),
      logger,
      client,
      waitSeconds: 0,
    })
    await stopped.append(WEB, records('a', 'b', 'c'))
    const stale = await claimed(stopped)
    await clock.advance(UNTIL_VISIBLE_MS)
    const other = await open()
    const current = await claimed(other)
    expect(idsOf(current.records)).toEqual(['a', 'b', 'c'])
    const left = async () => {
      const ids = await drain(other)
      const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] })
      expect((await client.send(command)).Attributes).toMatchObject({
        ApproximateNumberOfMessages: '0',
        ApproximateNumberOfMessagesNotVisible: '0',
      })
      return ids
    }
    return { ...harness, stale, current, left }
  }

  it('deletes what it delivered by its old receipt handle, and the other one delivers it twice at worst', async () => {
    const { stale, current, left, logger } = await claimedTwice()
    await stale.done()
    await current.release()
    expect(await left()).toEqual([])
    expect(logger.warn).not.toHaveBeenCalled()
  })

  it('puts what it did not deliver into the queue anew before the message is gone for both', async () => {
    const { stale, current, left } = await claimedTwice()
    await stale.release([2])
    await current.release()
    expect(await left()).toEqual(['c'])
  })

  it('makes a message visible that the other one holds, which loses nothing', async () => {
    const { stale, current, open } = await claimedTwice()
    await stale.release()
    const third = await open()
    expect(await drain(third)).toEqual(['a', 'b', 'c'])
    await current.done()
    expect(await drain(third)).toEqual([])
  })
})

describe('messages of other targets', () => {
  it('wait for their own claim, and are received once', async () => {
    const { open, count } = await queueHarness()
    const spill = await open()
    await Promise.all(Array.from({ length: 5 }, (_, n) => spill.append(otherTarget(n), records(n))))
    const receives = count('ReceiveMessage')
    for (let n = 4; n >= 0; n--)
      expect(idsOf((await claimed(spill, otherTarget(n))).records)).toEqual([String(n)])
    expect(count('ReceiveMessage')).toBe(receives + 1)
  })

  it('do not hide what lies behind them, however many there are, and only so many are kept', async () => {
    const { open, beat, count } = await queueHarness()
    const spill = await open()
    const targets = Array.from({ length: 700 }, (_, n) => otherTarget(n))
    await Promise.all(targets.map((target, n) => spill.append(target, records(n))))
    let claim = await spill.claim(otherTarget(699))
    for (let tries = 1; claim === undefined && tries < 5; tries++) claim = await spill.claim(otherTarget(699))
    expect(idsOf(claim?.records ?? [])).toEqual(['699'])
    await beat()
    // Ten in a call: of 500 on the shelf, and of the claim.
    expect(count('ChangeMessageVisibilityBatch')).toBeGreaterThan(0)
    expect(count('ChangeMessageVisibilityBatch')).toBeLessThanOrEqual(51)
  })

  it('that nobody here ever claims are left to others half of the time', async () => {
    const { open, beat } = await queueHarness()
    const first = await open()
    await first.append(APP, records('a'))
    await beat()
    const second = await open()
    expect(await second.claim(APP)).toBeUndefined()
    await beat()
    expect(idsOf((await claimed(second, APP)).records)).toEqual(['a'])
  })

  it('that waited for long are left to others', async () => {
    const { open, beat } = await queueHarness()
    const keeper = await open()
    expect(await keeper.claim(APP)).toBeUndefined()
    await keeper.append(APP, records('app'))
    await keeper.append(WEB, records('web'))
    await (await claimed(keeper, WEB)).done()
    const other = await open()
    for (let beats = 0; beats < 15; beats++) await beat()
    expect(await other.claim(APP)).toBeUndefined()
    for (let beats = 0; beats < 12; beats++) await beat()
    expect((await Promise.all([drain(other, APP), drain(keeper, APP)])).flat()).toEqual(['app'])
  })

  it('are left where they are if no spill wrote them', async () => {
    const { open, client, queueUrl, logger, clock } = await queueHarness()
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'of another program' }))
    const spill = await open()
    await spill.append(WEB, records('a'))
    expect(await drain(spill)).toEqual(['a'])
    expect(logger.error).toHaveBeenCalledWith(expect.stringContaining('is not of a spill: it is left there'))
    await spill.close()
    await clock.advance(UNTIL_VISIBLE_MS)
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl: queueUrl }))
    expect(Messages?.map(({ Body }) => Body)).toEqual(['of another program'])
  })

  it('are told of now and then, however many no spill wrote', async () => {
    const { open, client, queueUrl, logger, clock } = await queueHarness()
    for (let n = 0; n < 25; n++)
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: 'of another program' }))
    const spill = await open()
    await spill.append(WEB, records('a'))
    expect(await drain(spill)).toEqual(['a'])
    expect(logger.error).toHaveBeenCalledTimes(1)
    await clock.advance(UNTIL_VISIBLE_MS)
    expect(await spill.claim(WEB)).toBeUndefined()
    expect(logger.error).toHaveBeenCalledTimes(2)
    expect(logger.error.mock.calls[1]?.[0]).toMatch(/is not of a spill: it is left there, as are 2\d others$/)
  })
})

describe('an append', () => {
  it('sends again only what SQS did not take', async () => {
    const { open, aws, settled, calls } = await queueHarness()
    const spill = await open()
    aws.addFault({ kind: 'fail-records', action: 'SendMessageBatch', share: 0.5, times: 1 })
    const appends = Promise.all(
      Array.from({ length: 10 }, (_, n) => spill.append(otherTarget(n), records(n))),
    )
    expect((await settled(appends)).status).toBe('fulfilled')
    const [first, second] = calls.filter(({ action }) => action === 'SendMessageBatch')
    expect(first?.failedRecords).toBeGreaterThan(0)
    expect(second?.records).toBe(first?.failedRecords)
    expect(spill.stats().files).toBe(10)
    const found = await drain(spill, ...Array.from({ length: 10 }, (_, n) => otherTarget(n)))
    expect(found.sort()).toEqual(Array.from({ length: 10 }, (_, n) => String(n)))
  })

  it.each([
    [
      'SQS takes no message',
      { kind: 'fail-records' },
      4,
      'SQS did not take a message of the spill (InternalError: ',
    ],
    ['SQS is slow to be had', { kind: 'throttle' }, 4, 'Slow down.'],
    ['the connection is cut', { kind: 'disconnect' }, 4, 'socket hang up'],
    ['the answer is garbage', { kind: 'garbage' }, 4, 'is not valid JSON'],
    ['the policy says no', { kind: 'error', code: 'AccessDenied', status: 403 }, 1, 'AccessDenied'],
  ] as const)('rejects where %s', async (_case, fault, tries, message) => {
    const { open, aws, settled, count } = await queueHarness()
    const spill = await open()
    aws.addFault({ ...fault, action: 'SendMessageBatch' })
    const outcome = await settled(spill.append(WEB, records('a')))
    expect(outcome).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining(message) },
    })
    expect(count('SendMessageBatch')).toBe(tries)
    aws.clearFaults()
    await spill.append(WEB, records('b'))
    expect(await drain(spill)).toContain('b')
  })

  it('rejects where SQS hangs, when whoever waits has not given up yet', async () => {
    const { open, aws, settled, clock, count, until } = await queueHarness()
    const spill = await open()
    aws.addFault({ kind: 'hang', action: 'SendMessageBatch' })
    const outcome = settled(spill.append(WEB, records('a')))
    await until(() => count('SendMessageBatch') === 1)
    await clock.advance(4_000)
    expect(await outcome).toMatchObject({ status: 'rejected', reason: { name: 'TimeoutError' } })
  })

  it('that SQS took without telling leads to duplicates at worst', async () => {
    const { open, aws, settled } = await queueHarness()
    const spill = await open()
    aws.addFault({ kind: 'disconnect-after', action: 'SendMessageBatch', times: 2 })
    expect((await settled(spill.append(WEB, records('a')))).status).toBe('fulfilled')
    expect(await drain(spill)).toEqual(['a', 'a', 'a'])
  })

  it('of a record too large for the queue rejects, and others do not', async () => {
    const { open } = await queueHarness({ MaximumMessageSize: '1024', MessageRetentionPeriod: '1209600' })
    const spill = await open()
    const large = Buffer.from(`"${randomBytes(2_000).toString('hex')}"\n`)
    const outcomes = await Promise.allSettled([
      spill.append(WEB, records('a')),
      spill.append(WEB, [large]),
      spill.append(WEB, records('b')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({
      reason: { message: expect.stringMatching(/^A record of 4003 bytes for web-events .* takes 768 bytes/) },
    })
    expect(spill.canTake()).toBe(true)
    expect(await drain(spill)).toEqual(['a', 'b'])
  })

  it('compresses a record that is too large as it is', async () => {
    const { open } = await queueHarness({ MaximumMessageSize: '1024', MessageRetentionPeriod: '1209600' })
    const spill = await open()
    const large = Buffer.from(`"${'x'.repeat(100_000)}"\n`)
    await spill.append(WEB, [large, ...records('a')])
    const { records: back } = await claimed(spill)
    expect(back.map((bytes) => Buffer.from(bytes))).toEqual([large, ...records('a')])
  })
})

describe('a queue that takes less than it says', () => {
  const KIB = 1024
  const sizeOf = ({ MessageBody = '', MessageAttributes = {} }: SendMessageBatchRequestEntry) =>
    Object.entries(MessageAttributes).reduce(
      (sum, [name, { DataType = '', StringValue = '' }]) =>
        sum + name.length + DataType.length + StringValue.length,
      Buffer.byteLength(MessageBody),
    )

  interface Limits {
    readonly message?: number
    readonly call?: number
    /** How it says so. */
    readonly words: (limit: number) => { readonly name: string; readonly message: string }
  }

  /** A spill whose client refuses what is larger, of a queue that has no such limit. */
  async function limitedSpill({
    message = Number.POSITIVE_INFINITY,
    call = Number.POSITIVE_INFINITY,
    words,
  }: Limits) {
    const harness = await queueHarness()
    const { client, queueUrl, clock, logger } = harness
    const refused: number[] = []
    const limited = {
      destroy() {},
      async send(command: SendMessageBatchCommand, options: object) {
        if (!(command instanceof SendMessageBatchCommand)) return client.send(command, options)
        const { Entries = [] } = command.input
        const bytes = Entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
        if (bytes > call) {
          refused.push(bytes)
          throw Object.assign(new Error(words(call).message), { name: words(call).name })
        }
        const large = Entries.filter((entry) => sizeOf(entry) > message)
        refused.push(...large.map(sizeOf))
        const Failed = large.map(({ Id }) => ({
          Id,
          SenderFault: true,
          Code: words(message).name,
          Message: words(message).message,
        }))
        const rest = Entries.filter((entry) => !large.includes(entry))
        if (rest.length === 0) return { Failed }
        const answer = await client.send(
          new SendMessageBatchCommand({ ...command.input, Entries: rest }),
          options,
        )
        return { ...answer, Failed: [...Failed, ...(answer.Failed ?? [])] }
      },
    }
    const spill = await openSpillQueue({
      queueUrl,
      region: 'us-west-2',
      clock,
      logger,
      client: limited as unknown as SQSClient,
      waitSeconds: 0,
    })
    return { ...harness, spill, refused }
  }

  /** So many records of a KiB each that compression makes no smaller. */
  const incompressible = (count: number, kib = 1) =>
    Array.from({ length: count }, (_, n) =>
      Buffer.from(`${JSON.stringify({ id: n, x: randomBytes((kib * KIB) / 2).toString('hex') })}\n`),
    )
  const ids = (count: number) => Array.from({ length: count }, (_, n) => String(n))
  const sorted = (found: readonly string[]) => [...found].sort((a, b) => Number(a) - Number(b))

  it.each<[string, Limits]>([
    [
      'a call, with its limit',
      {
        call: 256 * KIB,
        words: (limit) => ({
          name: 'BatchRequestTooLong',
          message: `Batch requests cannot be longer than ${limit} bytes. You have sent 1048576 bytes.`,
        }),
      },
    ],
    [
      'a call, without its limit',
      { call: 200 * KIB, words: () => ({ name: 'BatchRequestTooLong', message: 'too long' }) },
    ],
    ['a body of HTTP', { call: 64 * KIB, words: () => ({ name: 'RequestEntityTooLarge', message: '' }) }],
    [
      'a message, with its limit',
      {
        message: 256 * KIB,
        words: (limit) => ({
          name: 'InvalidParameterValue',
          message: `One or more parameters cannot be validated. Reason: Message must be shorter than ${limit} bytes.`,
        }),
      },
    ],
    [
      'a message, without its limit',
      { message: 100 * KIB, words: () => ({ name: 'MessageTooLong', message: '' }) },
    ],
  ])('is sent less by and by, and no more than that later: %s', async (_case, limits) => {
    const { spill, refused } = await limitedSpill(limits)
    await spill.append(WEB, incompressible(900))
    expect(refused.length).toBeGreaterThan(0)
    expect(sorted(await drain(spill))).toEqual(ids(900))
    refused.length = 0
    await spill.append(WEB, incompressible(900))
    expect(refused).toEqual([])
    expect(sorted(await drain(spill))).toEqual(ids(900))
  })

  it('keeps all but the one record that fits in no message of it', async () => {
    const words = (limit: number) => ({
      name: 'InvalidParameterValue',
      message: `Reason: Message must be shorter than ${limit} bytes.`,
    })
    const { spill } = await limitedSpill({ message: 64 * KIB, words })
    const outcomes = await Promise.allSettled([
      spill.append(WEB, records('a')),
      spill.append(WEB, incompressible(1, 200)),
      spill.append(WEB, records('b')),
      spill.append(APP, records('c')),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { name: 'UnfitRecordError' } })
    expect(spill.canTake()).toBe(true)
    expect(await drain(spill, WEB, APP)).toEqual(['a', 'b', 'c'])
  })
})

describe('the end of a claim', () => {
  it('deletes later what could not be deleted at once, and hides it until then', async () => {
    const { open, aws, beat } = await queueHarness()
    const [spill, other] = [await open(), await open()]
    await spill.append(WEB, records('a'))
    const claim = await claimed(spill)
    aws.addFault({ kind: 'error', code: 'InternalFailure', status: 500, action: 'DeleteMessageBatch' })
    await claim.done()
    for (let beats = 0; beats < 6; beats++) await beat()
    expect(await drain(other)).toEqual([])
    expect(spill.stats().files).toBe(1)
    aws.clearFaults()
    await beat()
    expect(spill.stats().files).toBe(0)
    for (let beats = 0; beats < 4; beats++) await beat()
    expect(await drain(other)).toEqual([])
  })

  it('takes nothing more from a queue that deletes nothing, until it does', async () => {
    const { open, aws, beat } = await queueHarness()
    const spill = await open()
    for (let n = 0; n < 100; n++)
      await Promise.all(
        Array.from({ length: 12 }, (_, i) => spill.append(otherTarget(n * 12 + i), records(n))),
      )
    aws.addFault({ kind: 'error', code: 'AccessDenied', status: 403, action: 'DeleteMessageBatch' })
    let delivered = 0
    let refusal: unknown
    for (let n = 0; n < 1_200 && refusal === undefined; n++)
      try {
        const claim = await spill.claim(otherTarget(n))
        await claim?.done()
        delivered++
      } catch (error) {
        refusal = error
      }
    expect(delivered).toBe(1_000)
    expect(String(refusal)).toContain('Allow sqs:DeleteMessage')
    aws.clearFaults()
    await beat()
    expect(await drain(spill, otherTarget(1_000))).toHaveLength(1)
    // Thousands of calls, on a machine that may be busy.
  }, 60_000)

  it('gives back all of a message whose rest could not be sent anew', async () => {
    const { open, aws, settled, logger } = await queueHarness()
    const spill = await open()
    await spill.append(WEB, records('a', 'b'))
    const claim = await claimed(spill)
    aws.addFault({ kind: 'disconnect', action: 'SendMessageBatch' })
    expect((await settled(claim.release([1]))).status).toBe('fulfilled')
    expect(await drain(spill)).toEqual(['a', 'b'])
    expect(logger.error).not.toHaveBeenCalled()
  })
})

describe('a client that hangs before it sends anything', () => {
  it('holds nobody up', async () => {
    const { client, clock, queueUrl, logger } = await queueHarness()
    const hanging = { ...client, destroy: () => {}, send: () => new Promise<never>(() => {}) }
    let spill: Spill | undefined
    const opened = openSpillQueue({ queueUrl, region: 'us-west-2', clock, logger, client: hanging as never })
    void opened.then((it) => {
      spill = it
    })
    for (let turns = 0; spill === undefined && turns < 1_000; turns++) await clock.advance(100)
    expect(spill?.canTake()).toBe(false)
    let outcome: unknown
    void spill?.append(WEB, records('a')).catch((error) => {
      outcome = error
    })
    await clock.advance(9_000)
    expect(String(outcome)).toContain('SQS did not answer within 4000 ms')
  })
})

describe('a spill queue that is deleted', () => {
  it('can take nothing until it is there again', async () => {
    const { open, aws, client, settled, beat } = await queueHarness()
    const spill = await open()
    expect(spill.canTake()).toBe(true)
    aws.deleteQueue('spill')
    expect((await settled(spill.append(WEB, records('a')))).status).toBe('rejected')
    expect(spill.canTake()).toBe(false)
    await beat()
    expect(spill.canTake()).toBe(false)
    await client.send(new CreateQueueCommand({ QueueName: 'spill' }))
    await beat()
    expect(spill.canTake()).toBe(true)
  })
})

describe('opening a spill queue', () => {
  it.each(['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'])(
    'refuses one whose policy does not allow sqs:%s, before an outage needs it',
    async (action) => {
      const { open, aws, queueUrl } = await queueHarness()
      aws.addFault({ kind: 'error', action, code: 'AccessDenied', status: 403, message: `no ${action}` })
      await expect(open()).rejects.toThrow(
        expect.objectContaining({
          message: expect.stringMatching(
            `^The spill queue ${queueUrl} cannot be used in us-west-2 \\(AccessDenied: no ${action} \\(SQS in us-west-2, HTTP 403 AccessDenied\\)\\)\\. Allow sqs:SendMessage`,
          ),
        }),
      )
    },
  )

  it('sends no message and removes none', async () => {
    const { open, client, queueUrl } = await queueHarness()
    const first = await open()
    await first.append(WEB, records('a'))
    await open()
    const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] })
    const { Attributes } = await client.send(command)
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '1',
    })
  })

  it('refuses one that is not there, and says what to do', async () => {
    const { open, aws } = await queueHarness()
    aws.deleteQueue('spill')
    await expect(open()).rejects.toThrow(
      /^The spill queue http.*\/123456789012\/spill cannot be used in us-west-2 \(QueueDoesNotExist: .*\)\. Make the queue, or give \{ queueUrl, region \}, and allow sqs:SendMessage/,
    )
  })

  it.each([
    ['https://sqs.us-west-2.amazonaws.com/123456789012/spill.fifo', 'is a FIFO queue: use a standard queue'],
    ['arn:aws:sqs:us-west-2:123456789012:spill', 'is not the URL of an SQS queue, such as https://'],
  ])('refuses %s', async (queueUrl, message) => {
    const { clock, logger, client } = await queueHarness()
    await expect(openSpillQueue({ queueUrl, region: 'us-west-2', clock, logger, client })).rejects.toThrow(
      message,
    )
  })

  it('goes on where SQS is not to be had now', async () => {
    const { open, aws, logger } = await queueHarness()
    aws.addFault({ kind: 'disconnect', action: 'GetQueueAttributes', times: 1 })
    const spill = await open()
    expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('gives errors'))
    await spill.append(WEB, records('a'))
    expect(await drain(spill)).toEqual(['a'])
  })

  it('uses a client of its own where none is given', async () => {
    const { queueUrl, clock, logger } = await queueHarness()
    const before = { ...process.env }
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAANYONE0000000000', AWS_SECRET_ACCESS_KEY: 'any' })
    try {
      const spill = await openSpillQueue({ queueUrl, region: 'us-west-2', clock, logger, waitSeconds: 0 })
      await spill.append(WEB, records('a'))
      expect(await drain(spill)).toEqual(['a'])
      await spill.close()
    } finally {
      process.env = before
    }
  })

  it('warns of a queue that forgets soon', async () => {
    const { open, logger } = await queueHarness({ MessageRetentionPeriod: '345600' })
    await open()
    expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('is not delivered within 96 hours'))
  })

  it.each([
    ['{"deadLetterTargetArn":"arn:x","maxReceiveCount":3}', 1],
    ['{"deadLetterTargetArn":"arn:x","maxReceiveCount":"1000"}', 0],
    [undefined, 0],
  ])('warns of a redrive policy that takes messages away soon: %s', (policy, warnings) => {
    const logger = silentLogger()
    const attributes = { MessageRetentionPeriod: '1209600', ...(policy && { RedrivePolicy: policy }) }
    warnOfLoss('https://queue', attributes, logger)
    expect(logger.warn).toHaveBeenCalledTimes(warnings)
  })
})

describe('a message', () => {
  const string = (StringValue: string) => ({ DataType: 'String', StringValue })
  const message = (Body: string, encoding = 'text') => ({
    Body,
    MessageAttributes: {
      version: string('1'),
      stream: string(WEB.stream),
      key: string(WEB.key),
      time: string('1'),
      encoding: string(encoding),
    },
  })

  it('that holds records is read', () => {
    expect(decodeMessage(message('{}\n'))).toMatchObject({
      target: WEB,
      time: 1,
      records: [Buffer.from('{}\n')],
    })
  })

  it.each([
    ['is cut', message('{}\n{')],
    ['is of another version', { ...message('{}\n'), MessageAttributes: { version: string('2') } }],
    [
      'has a target that is none',
      { Body: '{}\n', MessageAttributes: { ...message('').MessageAttributes, stream: string('../x') } },
    ],
    ['is not what it says', message('{}\n', 'gzip')],
    ['is a bomb', message(gzipSync(Buffer.alloc(50_000_000, '\n')).toString('base64'), 'gzip')],
  ])('that %s is not', (_case, given) => {
    expect(decodeMessage(given)).toBeUndefined()
  })
})

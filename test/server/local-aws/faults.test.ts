import { PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault } from '../../../server/local-aws/index.js'
import { bytes, type Harness, ROLE, raw, start, stopAll, target } from './harness.js'

afterEach(stopAll)

const put = (stream = 's') =>
  new PutRecordCommand({ DeliveryStreamName: stream, Record: { Data: bytes('x') } })
const putBatch = (count: number, stream = 's') =>
  new PutRecordBatchCommand({
    DeliveryStreamName: stream,
    Records: Array.from({ length: count }, (_, index) => ({ Data: bytes(`${index}`) })),
  })

/** Two records by a plain HTTP client, which shows what the SDK would hide. */
function rawBatch({ aws }: Harness, init: RequestInit = {}) {
  const body = JSON.stringify({ DeliveryStreamName: 's', Records: [{ Data: 'YQ==' }, { Data: 'Yg==' }] })
  return raw(aws, { body, ...init, headers: target('PutRecordBatch') })
}

describe('a fault of records', () => {
  test.each<[Fault, string, number]>([
    [{ kind: 'throttle-records' }, 'ServiceUnavailableException', 503],
    [{ kind: 'fail-records' }, 'InternalFailure', 500],
  ])('%j fails each by itself', async (fault, code, status) => {
    const { aws, firehose, read, calls } = await start({ faults: [fault] })
    const { FailedPutCount, RequestResponses } = await firehose().send(putBatch(2))
    expect(FailedPutCount).toBe(2)
    expect(RequestResponses).toMatchObject([{ ErrorCode: code }, { ErrorCode: code }])
    expect(RequestResponses?.[0]?.RecordId).toBeUndefined()
    await expect(firehose().send(put())).rejects.toMatchObject({
      name: code,
      $metadata: { httpStatusCode: status },
    })
    expect(calls[0]).toMatchObject({ records: 2, failedRecords: 2, status: 200 })
    await aws.flush()
    expect(await read('s')).toHaveLength(0)
  })

  test('strikes a share, the same with the same seed', async () => {
    const failures = async (seed: number) => {
      const { firehose } = await start({ faults: [{ kind: 'throttle-records', share: 0.3 }], seed })
      const { RequestResponses } = await firehose().send(putBatch(500))
      return RequestResponses?.map((response) => response.ErrorCode !== undefined) ?? []
    }
    const first = await failures(7)
    expect(first.filter(Boolean).length / 500).toBeCloseTo(0.3, 1)
    expect(await failures(7)).toEqual(first)
    expect(await failures(8)).not.toEqual(first)
  })

  test('stores exactly the records that got an id', async () => {
    const { aws, firehose, read } = await start({ faults: [{ kind: 'fail-records', share: 0.5 }] })
    const { RequestResponses } = await firehose().send(putBatch(10))
    const stored = RequestResponses?.flatMap(({ RecordId }, index) => (RecordId ? [index] : []))
    await aws.flush()
    expect((await read('s')).toString()).toBe(stored?.join(''))
  })
})

describe('a fault', () => {
  test('strikes what its scope names', async () => {
    const { aws, firehose, assumeRole } = await start()
    aws.addFault({ kind: 'throttle', stream: 'slow' })
    aws.addFault({ kind: 'error', code: 'AccessDenied', status: 403, action: 'AssumeRole', roleArn: ROLE })
    await firehose().send(put('s'))
    await expect(firehose().send(put('slow'))).rejects.toMatchObject({
      name: 'ServiceUnavailableException',
      message: 'Slow down.',
      $metadata: { httpStatusCode: 503 },
    })
    await expect(assumeRole()).rejects.toMatchObject({ name: 'AccessDenied' })
    const other = firehose(await assumeRole({ RoleArn: `${ROLE}-2` }))
    aws.clearFaults()
    aws.addFault({ kind: 'throttle', roleArn: `${ROLE}-2` })
    await expect(other.send(put())).rejects.toThrow('Slow down.')
    await firehose(await assumeRole()).send(put())
  })

  test('ends after its number of calls, or when it is taken away', async () => {
    const { aws, firehose } = await start({ faults: [{ kind: 'throttle', times: 2, stream: 's' }] })
    await expect(firehose().send(put())).rejects.toThrow('Slow down.')
    await firehose().send(put('other'))
    await expect(firehose().send(put())).rejects.toThrow('Slow down.')
    await firehose().send(put())
    const remove = aws.addFault({ kind: 'throttle' })
    await expect(firehose().send(put())).rejects.toThrow('Slow down.')
    remove()
    await firehose().send(put())
  })

  test('can be any error', async () => {
    const { aws, firehose, calls } = await start()
    aws.addFault({ kind: 'error', code: 'InvalidKMSResourceException', message: 'no key' })
    await expect(firehose().send(put())).rejects.toMatchObject({
      name: 'InvalidKMSResourceException',
      message: 'no key',
      $metadata: { httpStatusCode: 400 },
    })
    expect(calls).toMatchObject([{ errorCode: 'InvalidKMSResourceException', fault: 'error', status: 400 }])
  })

  test('can be an expired token, in the words of either service', async () => {
    const { firehose, assumeRole } = await start({ faults: [{ kind: 'expired-token' }] })
    await expect(firehose().send(put())).rejects.toMatchObject({ name: 'ExpiredTokenException' })
    await expect(assumeRole()).rejects.toMatchObject({ name: 'ExpiredToken' })
  })

  test('that delays lets the call be done', async () => {
    const { aws, firehose } = await start({ faults: [{ kind: 'delay', ms: 5 }] })
    const client = firehose()
    await Promise.all(Array.from({ length: 20 }, () => client.send(put())))
    expect(aws.stats().records).toEqual({ s: 20 })
  })

  test('that hangs never answers, and does not keep the end from coming', async () => {
    let arrive = () => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const harness = await start({ faults: [{ kind: 'hang' }], onCall: () => arrive() })
    const hanging = expect(rawBatch(harness)).rejects.toThrow()
    await arrived
    await harness.aws.close()
    await hanging
    expect(harness.aws.stats()).toEqual({ calls: { PutRecordBatch: 1 }, records: {} })
  })

  test('that delays beyond the end has no effect', async () => {
    const harness = await start({ faults: [{ kind: 'delay', ms: 3_600_000 }] })
    const delayed = expect(rawBatch(harness)).rejects.toThrow()
    const authenticated = harness.firehose().send(put())
    await harness.aws.close()
    await delayed
    await expect(authenticated).rejects.toThrow()
    expect(harness.aws.stats().records).toEqual({})
  })

  test.each<[Fault, number]>([
    [{ kind: 'disconnect' }, 0],
    [{ kind: 'disconnect-after' }, 2],
    [{ kind: 'disconnect-after', cut: 'within' }, 2],
  ])('%j cuts the connection', async (fault, stored) => {
    const harness = await start({ faults: [fault] })
    await expect(rawBatch(harness)).rejects.toThrow()
    expect(harness.aws.stats().records['s'] ?? 0).toBe(stored)
    expect(harness.calls).toMatchObject([{ status: 0, fault: fault.kind }])
    harness.aws.clearFaults()
    await rawBatch(harness)
  })

  test('can answer what is no answer, after the call was done', async () => {
    const harness = await start()
    const { aws } = harness
    const answerTo = async (fault: Fault) => {
      const remove = aws.addFault(fault)
      const { status, text } = await rawBatch(harness)
      remove()
      return { status, text }
    }
    expect(await answerTo({ kind: 'garbage' })).toMatchObject({
      status: 200,
      text: expect.stringMatching(/^<html>/),
    })
    expect(await answerTo({ kind: 'garbage', status: 502, body: 'oops' })).toEqual({
      status: 502,
      text: 'oops',
    })
    const { text: half } = await answerTo({ kind: 'truncated' })
    expect(half).toMatch(/^\{"Encrypted"/)
    expect(() => JSON.parse(half)).toThrow()
    expect(aws.stats().records).toEqual({ s: 6 })
  })

  test.each([
    ['missing', undefined],
    ['short', 1],
    ['long', 3],
  ] as const)('can leave the responses %s', async (responses, length) => {
    const harness = await start({ faults: [{ kind: 'wrong-responses', responses }] })
    const answer = JSON.parse((await rawBatch(harness)).text)
    expect(answer.FailedPutCount).toBe(0)
    expect(answer.RequestResponses?.length).toBe(length)
  })

  test('that is none is refused', async () => {
    const { aws } = await start()
    expect(() => aws.addFault({ kind: 'throttle', share: 2 })).toThrow(
      /Wrong value in the fault:[\s\S]*share/,
    )
    // @ts-expect-error: a misspelt kind
    expect(() => aws.addFault({ kind: 'throtle' })).toThrow('Wrong value in the fault')
  })
})

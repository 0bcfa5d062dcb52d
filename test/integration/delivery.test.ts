import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { createDelivery } from '../../plugin/delivery/create-delivery.js'
import type { Delivery } from '../../plugin/delivery/delivery.js'
import type { RecordOutcome } from '../../plugin/delivery/outcome.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'
import type { Fault, LocalAwsOptions, LocalAwsRole } from '../../server/local-aws/index.js'
import { ROLE, records, startTestAws, type TestAws } from './aws.js'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start(options: LocalAwsOptions = {}): Promise<TestAws> {
  const test = await startTestAws(options)
  cleanUps.push(() => test.close())
  return test
}

function deliveryTo(test: TestAws, more: Partial<DestinationSettings> = {}): Delivery {
  const delivery = createDelivery({ settings: test.settings(more) })
  cleanUps.push(() => delivery.close({ timeout: 0 }))
  return delivery
}

function trusting(externalId: string | string[], more: Partial<LocalAwsRole> = {}): LocalAwsRole {
  return {
    arn: ROLE,
    trustPolicy: {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId } },
      },
    },
    ...more,
  }
}

const codes = (outcomes: readonly RecordOutcome[]) => [
  ...new Set(outcomes.map((outcome) => (outcome.status === 'failed' ? outcome.error.code : outcome.status))),
]

/** Every RecordId reported was given by AWS, for the record it was reported of. */
function expectTrueRecordIds(
  test: TestAws,
  sent: ReturnType<typeof records>,
  outcomes: readonly RecordOutcome[],
) {
  outcomes.forEach((outcome, i) => {
    if (outcome.status !== 'delivered') return
    expect(test.taken.get(outcome.recordId)?.text).toBe(Buffer.from(sent[i]?.data as Uint8Array).toString())
  })
}

describe('against an AWS where nothing is wrong', () => {
  it('makes one AssumeRole call for 10,000 records handed in at once, and batches them', async () => {
    const test = await start()
    const delivery = deliveryTo(test)
    const sent = records(10_000)
    const outcomes = (await Promise.all(sent.map((record) => delivery.deliver([record])))).flat()
    expect(codes(outcomes)).toEqual(['delivered'])
    expectTrueRecordIds(test, sent, outcomes)
    expect(test.callsOf('AssumeRole')).toHaveLength(1)
    expect(test.callsOf('AssumeRole')[0]).toMatchObject({ roleArn: ROLE, externalId: 'src_test' })
    expect(test.callsOf('PutRecordBatch')).toHaveLength(20)
    expect(await test.lines('everything')).toHaveLength(10_000)
  })

  it('uses the ambient credentials where there is no role', async () => {
    const test = await start()
    const delivery = deliveryTo(test, { roleAddress: undefined })
    expect(codes(await delivery.deliver(records(3)))).toEqual(['delivered'])
    expect(test.callsOf('AssumeRole')).toHaveLength(0)
  })

  it('aggregates many documents into few records, and leaves the same lines', async () => {
    const test = await start()
    const delivery = deliveryTo(test, { aggregation: 'ndjson' })
    expect(codes(await delivery.deliver(records(1_200)))).toEqual(['delivered'])
    expect(test.taken.size).toBe(3)
    expect(await test.lines('everything')).toEqual(
      records(1_200).map((record) => Buffer.from(record.data).toString().trim()),
    )
  })
})

describe('against an AWS with faults', () => {
  const quick = { requestTimeout: 400, deliveryTimeout: 15_000, flushAt: 50 }

  it.each<[string, Fault[]]>([
    ['30 % of the records throttled', [{ kind: 'throttle-records', share: 0.3, times: 40 }]],
    ['30 % of the records failing', [{ kind: 'fail-records', share: 0.3, times: 40 }]],
    ['calls throttled', [{ kind: 'throttle', action: 'PutRecordBatch', share: 0.5, times: 20 }]],
    [
      'internal failures',
      [{ kind: 'error', action: 'PutRecordBatch', code: 'InternalFailure', status: 500, times: 5 }],
    ],
    [
      'connections cut before the effect',
      [{ kind: 'disconnect', action: 'PutRecordBatch', share: 0.5, times: 10 }],
    ],
    ['expired tokens', [{ kind: 'expired-token', action: 'PutRecordBatch', share: 0.4, times: 20 }]],
    [
      'STS failing at first',
      [{ kind: 'error', action: 'AssumeRole', code: 'InternalFailure', status: 500, times: 2 }],
    ],
  ])('delivers every record exactly once with %s', async (_name, faults) => {
    const test = await start({ faults })
    const delivery = deliveryTo(test, quick)
    const sent = records(1_000)
    const outcomes = await delivery.deliver(sent)
    expect(codes(outcomes)).toEqual(['delivered'])
    expectTrueRecordIds(test, sent, outcomes)
    // Nothing that was taken came again: as many records as were sent, each once.
    expect(test.taken.size).toBe(1_000)
    expect((await test.lines('everything')).sort()).toEqual(
      sent.map((record) => Buffer.from(record.data).toString().trim()).sort(),
    )
  })

  it.each<[string, Fault[]]>([
    ['connections cut after the effect', [{ kind: 'disconnect-after', action: 'PutRecordBatch', times: 3 }]],
    [
      'answers cut in the middle',
      [{ kind: 'disconnect-after', action: 'PutRecordBatch', cut: 'within', times: 3 }],
    ],
    ['answers past the time-out', [{ kind: 'delay', action: 'PutRecordBatch', ms: 800, times: 3 }]],
    ['answers that never come', [{ kind: 'hang', action: 'PutRecordBatch', times: 3 }]],
    ['answers that are no JSON', [{ kind: 'garbage', action: 'PutRecordBatch', times: 3 }]],
    ['answers cut short', [{ kind: 'truncated', action: 'PutRecordBatch', times: 3 }]],
    ['answers that tell of no record', [{ kind: 'wrong-responses', responses: 'missing', times: 3 }]],
    ['answers that tell of too few records', [{ kind: 'wrong-responses', responses: 'short', times: 3 }]],
    ['answers that tell of too many records', [{ kind: 'wrong-responses', responses: 'long', times: 3 }]],
  ])('delivers every record at least once with %s', async (_name, faults) => {
    const test = await start({ faults })
    const delivery = deliveryTo(test, quick)
    const sent = records(300)
    const outcomes = await delivery.deliver(sent)
    expect(codes(outcomes)).toEqual(['delivered'])
    expectTrueRecordIds(test, sent, outcomes)
    expect(new Set(await test.lines('everything')).size).toBe(300)
  })

  it('survives them all at once; prints the counts', async () => {
    const test = await start({ seed: 7 })
    const delivery = deliveryTo(test, { ...quick, flushAt: 200, deliveryTimeout: 18_000 })
    const faults: Fault[] = [
      { kind: 'throttle-records', share: 0.3 },
      { kind: 'throttle', action: 'PutRecordBatch', share: 0.1 },
      { kind: 'disconnect', action: 'PutRecordBatch', share: 0.1 },
      { kind: 'disconnect-after', action: 'PutRecordBatch', share: 0.05 },
      { kind: 'delay', action: 'PutRecordBatch', share: 0.05, ms: 600 },
      { kind: 'expired-token', action: 'PutRecordBatch', share: 0.05 },
    ]
    for (const fault of faults) test.aws.addFault(fault)
    const parts = Array.from({ length: 10 }, (_, i) => records(500, 'everything', i * 500))
    const handedIn: Promise<RecordOutcome[]>[] = []
    for (const part of parts) {
      handedIn.push(delivery.deliver(part))
      await Promise.race(handedIn)
      if (handedIn.length === 5) test.aws.expireCredentials()
    }
    const outcomes = (await Promise.all(handedIn)).flat()
    expect(codes(outcomes)).toEqual(['delivered'])
    expectTrueRecordIds(test, parts.flat(), outcomes)
    expect(new Set(await test.lines('everything')).size).toBe(5_000)
    const stats = delivery.stats()['everything']
    const assumeRoleCalls = test.callsOf('AssumeRole').length
    console.info(
      `Fault run: 5000 events in, ${outcomes.length} RecordIds reported, ${test.taken.size} given by AWS, ` +
        `${stats?.resent} records resent in ${stats?.calls} calls, ${assumeRoleCalls} AssumeRole calls`,
    )
    expect(assumeRoleCalls).toBeLessThan(100)
  })

  it('does not let a stream that fails slow another', async () => {
    const test = await start({ faults: [{ kind: 'hang', stream: 'sick' }] })
    const delivery = deliveryTo(test, quick)
    const sick = delivery.deliver(records(2_000, 'sick'))
    for (let i = 0; i < 50; i++)
      expect(codes(await delivery.deliver(records(1, 'well')))).toEqual(['delivered'])
    test.aws.clearFaults()
    expect(codes(await sick)).toEqual(['delivered'])
  })

  it('parks a stream that does not exist, and delivers once it does', async () => {
    const test = await start({ autoCreateStreams: false })
    const delivery = deliveryTo(test, quick)
    const [outcome] = await delivery.deliver(records(1))
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_STREAM_UNAVAILABLE' } })
    expect(outcome?.status === 'failed' && outcome.error.message).toContain('everything')
    test.aws.createStream('everything')
    while ((await delivery.deliver(records(1)))[0]?.status !== 'delivered') await new Promise(setImmediate)
    // Looked in on from time to time, not with each record.
    expect(test.callsOf('PutRecordBatch').length).toBeLessThanOrEqual(4)
  })
})

describe('roles', () => {
  const putRecordOnly = {
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Action: ['firehose:PutRecord'],
      Resource: ['arn:aws:firehose:us-west-2:123456789012:deliverystream/everything'],
    },
  } as const

  it("works with the policy of Segment's page, which allows PutRecord alone", async () => {
    const test = await start({
      roles: [trusting('src_test', { permissionPolicy: putRecordOnly })],
      streams: ['everything'],
    })
    const notices: string[] = []
    const logger = { info() {}, warn: (text: string) => notices.push(text), error() {} }
    const delivery = deliveryTo(test, { logger })
    const sent = records(200)
    const outcomes = await delivery.deliver(sent)
    expect(codes(outcomes)).toEqual(['delivered'])
    expectTrueRecordIds(test, sent, outcomes)
    expect(test.callsOf('PutRecordBatch')).toHaveLength(1)
    expect(test.callsOf('PutRecord')).toHaveLength(200)
    expect(notices).toHaveLength(1)
    expect(notices[0]).toContain('"firehose:PutRecordBatch"')
  })

  it('gives two sources with one role and different external IDs a client each, and each is refused alone', async () => {
    const test = await start({ roles: [trusting(['src_a', 'src_b'])], streams: ['everything'] })
    const pool = createClientPool()
    const a = createDelivery({ settings: test.settings({ sourceId: 'src_a' }), pool })
    const b = createDelivery({ settings: test.settings({ sourceId: 'src_b' }), pool })
    expect(codes(await a.deliver(records(1)))).toEqual(['delivered'])
    expect(codes(await b.deliver(records(1)))).toEqual(['delivered'])
    expect(pool.stats()).toMatchObject({ clients: 2, assumeRoleCalls: 2 })
    expect(test.callsOf('AssumeRole').map((call) => call.externalId)).toEqual(['src_a', 'src_b'])

    test.aws.setRoles([trusting('src_a')])
    test.aws.expireCredentials()
    expect(codes(await b.deliver(records(1)))).toEqual(['ERR_STREAM_UNAVAILABLE'])
    expect(codes(await a.deliver(records(1)))).toEqual(['delivered'])
    await Promise.all([a.close(), b.close()])
    pool.close()
  })

  it('shares a client between sources with one secret ID', async () => {
    const test = await start({ roles: [trusting('workspace')], streams: ['everything'] })
    const pool = createClientPool()
    const deliveries = ['src_a', 'src_b', 'src_c'].map((sourceId) =>
      createDelivery({ settings: test.settings({ sourceId, secretId: 'workspace' }), pool }),
    )
    const outcomes = await Promise.all(deliveries.map((delivery) => delivery.deliver(records(1))))
    expect(codes(outcomes.flat())).toEqual(['delivered'])
    expect(pool.stats()).toMatchObject({ clients: 1, assumeRoleCalls: 1 })
    await Promise.all(deliveries.map((delivery) => delivery.close()))
    pool.close()
  })

  it('does not ask for a refused role with each record, and names the role and the fix, never the external ID', async () => {
    const test = await start({ roles: [trusting('another')], streams: ['everything'] })
    const notices: string[] = []
    const note = (text: string) => notices.push(text)
    const delivery = deliveryTo(test, {
      secretId: 'hush-hush',
      logger: { info: note, warn: note, error: note },
    })
    const outcomes = (await Promise.all(records(500).map((record) => delivery.deliver([record])))).flat()
    expect(codes(outcomes)).toEqual(['ERR_STREAM_UNAVAILABLE'])
    expect(test.callsOf('AssumeRole')).toHaveLength(1)
    const said = inspect([outcomes[0], notices], { depth: 20, showHidden: true })
    expect(said).toContain(ROLE)
    expect(said).toContain('sts:ExternalId')
    for (const secret of ['hush-hush', 'secret-of-the-source', 'src_test']) expect(said).not.toContain(secret)
  })

  it('goes on with valid credentials while STS is down, and fails with the reason when they have ended', async () => {
    const test = await start()
    const delivery = deliveryTo(test, { deliveryTimeout: 1_000 })
    expect(codes(await delivery.deliver(records(1)))).toEqual(['delivered'])
    const mend = test.aws.addFault({ kind: 'disconnect', action: 'AssumeRole' })
    expect(codes(await delivery.deliver(records(1)))).toEqual(['delivered'])
    test.aws.expireCredentials()
    const [outcome] = await delivery.deliver(records(1))
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_DELIVERY_TIMEOUT' } })
    expect(outcome?.status === 'failed' && outcome.error.message).toContain('Cannot assume')
    mend()
    let last = await delivery.deliver(records(1))
    while (last[0]?.status !== 'delivered') last = await delivery.deliver(records(1))
  })

  it('heals when a role is given back', async () => {
    const test = await start({ roles: [trusting('src_test')], streams: ['everything'] })
    const delivery = deliveryTo(test)
    expect(codes(await delivery.deliver(records(1)))).toEqual(['delivered'])
    test.aws.setRoles([])
    expect(codes(await delivery.deliver(records(1)))).not.toEqual(['delivered'])
    test.aws.setRoles([trusting('src_test')])
    while ((await delivery.deliver(records(1)))[0]?.status !== 'delivered') await new Promise(setImmediate)
  })
})

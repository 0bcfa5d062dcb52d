import { afterEach, describe, expect, it } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { createDelivery, deliveryOf } from '../../plugin/delivery/create-delivery.js'
import type { Delivery } from '../../plugin/delivery/delivery.js'
import { parseSettings } from '../../plugin/settings/configuration.js'
import { FakeClock } from '../fake-clock.js'
import { ROLE, records, startTestAws, type TestAws } from './aws.js'

const MINUTE = 60_000

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

interface Started {
  readonly clock: FakeClock
  readonly test: TestAws
  /** Delivers one record; its status, or the code of its error. */
  deliver(): Promise<string>
  assumeRoleCalls(): number
}

/** A pool and an AWS that share a clock of the test's, and a delivery whose waits are real ones. */
async function start({ max = 10 } = {}): Promise<Started> {
  const clock = new FakeClock()
  const test = await startTestAws({ now: () => clock.wallTime(), maxClockSkewMs: Number.POSITIVE_INFINITY })
  cleanUps.push(() => test.close())
  const pool = createClientPool({ max, clock })
  const delivery: Delivery = deliveryOf(parseSettings(test.settings({ deliveryTimeout: 500 })), { pool })
  cleanUps.push(async () => {
    await delivery.close()
    pool.close()
  })
  return {
    clock,
    test,
    async deliver() {
      const [outcome] = await delivery.deliver(records(1))
      return outcome?.status === 'failed' ? outcome.error.code : String(outcome?.status)
    },
    assumeRoleCalls: () => test.callsOf('AssumeRole').length,
  }
}

describe('credentials of an assumed role, over time', () => {
  it('are fetched once in their first 55 minutes, then in the background, without a call that waits or fails', async () => {
    const { clock, deliver, assumeRoleCalls } = await start()
    for (let minute = 0; minute < 55; minute += 5) {
      expect(await deliver()).toBe('delivered')
      await clock.advance(5 * MINUTE)
    }
    expect(assumeRoleCalls()).toBe(1)
    expect(await deliver()).toBe('delivered')
    while (assumeRoleCalls() < 2) await new Promise(setImmediate)
    await clock.advance(30 * MINUTE)
    expect(await deliver()).toBe('delivered')
    expect(assumeRoleCalls()).toBe(2)
  })

  it('serve to their end while STS is down, and not a call longer', async () => {
    const { clock, test, deliver } = await start()
    expect(await deliver()).toBe('delivered')
    const mend = test.aws.addFault({ kind: 'disconnect', action: 'AssumeRole' })
    await clock.advance(59 * MINUTE)
    expect(await deliver()).toBe('delivered')
    await clock.advance(MINUTE)
    expect(await deliver()).toBe('ERR_DELIVERY_TIMEOUT')
    mend()
    await clock.advance(MINUTE)
    // The stream's own pause runs on real time.
    while ((await deliver()) !== 'delivered') await new Promise(setImmediate)
  })

  it('are fetched anew when AWS says that they expired, though their time is not over', async () => {
    const { test, deliver, assumeRoleCalls } = await start()
    expect(await deliver()).toBe('delivered')
    test.aws.expireCredentials()
    expect(await deliver()).toBe('delivered')
    expect(assumeRoleCalls()).toBe(2)
  })
})

describe('a session', () => {
  const trust = (...actions: string[]) => ({
    arn: ROLE,
    trustPolicy: {
      Statement: [
        {
          Effect: 'Allow' as const,
          Principal: { AWS: 'arn:aws:iam::123456789012:root' },
          Action: actions,
          Condition: { StringEquals: { 'sts:ExternalId': 'src_test' } },
        },
      ],
    },
    permissionPolicy: { Statement: [{ Effect: 'Allow' as const, Action: 'firehose:*', Resource: '*' }] },
  })
  const assumeRole = {
    sessionName: 'events@web',
    sourceIdentity: 'events',
    tags: { team: 'web', Stage: '' },
    transitiveTags: ['team'],
    durationSeconds: 900,
  }

  it('is assumed as the settings say', async () => {
    const test = await startTestAws({
      streams: ['everything'],
      roles: [trust('sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity')],
    })
    cleanUps.push(() => test.close())
    const delivery = createDelivery({ settings: test.settings({ assumeRole }) })
    const outcomes = await delivery.deliver(records(1))
    await delivery.close()
    expect(outcomes).toEqual([{ status: 'delivered', recordId: expect.any(String) }])
  })
})

describe('a pool that is too small', () => {
  it('makes room while calls are under way, and every record arrives', async () => {
    const test = await startTestAws({
      faults: [{ kind: 'delay', action: 'PutRecordBatch', ms: 50, times: 20 }],
    })
    cleanUps.push(() => test.close())
    const pool = createClientPool({ max: 2 })
    const deliveries = Array.from({ length: 8 }, (_, i) =>
      deliveryOf(parseSettings(test.settings({ sourceId: `src_${i}` })), { pool }),
    )
    cleanUps.push(async () => {
      await Promise.all(deliveries.map((delivery) => delivery.close()))
      pool.close()
    })
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.all(deliveries.map((delivery) => delivery.deliver(records(10))))
      expect(outcomes.flat().every(({ status }) => status === 'delivered')).toBe(true)
    }
    expect(test.taken.size).toBe(240)
    expect(pool.stats().clients).toBe(2)
    expect(pool.stats().evictions).toBeGreaterThan(0)
  })
})

import { readdirSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createDelivery } from '../../plugin/delivery/create-delivery.js'
import type { Delivery } from '../../plugin/delivery/delivery.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'
import { tempDir } from '../server/temp-dir.js'
import { records, startTestAws, type TestAws } from './aws.js'

let aws: TestAws
const open: Delivery[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((delivery) => delivery.close({ timeout: 0 })))
  await aws.close()
})

function deliveryTo(directory: string, more: Partial<DestinationSettings> = {}): Delivery {
  const delivery = createDelivery({
    settings: aws.settings({ spill: directory, deliveryTimeout: 300, ...more }),
  })
  open.push(delivery)
  return delivery
}

/** Waits until Firehose has taken so many different records. */
async function taken(count: number): Promise<Set<string>> {
  for (;;) {
    const texts = new Set([...aws.taken.values()].map(({ text }) => text))
    if (texts.size >= count) return texts
    await wait(10)
  }
}

/** Claimed ones too. */
const filesIn = (directory: string) =>
  readdirSync(directory, { recursive: true }).filter((it) => String(it).includes('.ndjson'))

describe('records that Firehose does not take in time', () => {
  it('are spilled, and sent when it does again', async () => {
    aws = await startTestAws()
    const directory = tempDir()
    const delivery = deliveryTo(directory)
    const recover = aws.aws.addFault({ kind: 'throttle', action: 'PutRecordBatch' })
    const outcomes = await delivery.deliver(records(1_200))
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['spilled']))
    expect(filesIn(directory).length).toBeGreaterThan(0)
    expect(aws.taken.size).toBe(0)
    recover()
    expect((await taken(1_200)).size).toBe(1_200)
    while (filesIn(directory).length > 0) await wait(10)
    expect(delivery.stats()['everything']).toMatchObject({ spilled: 1_200, delivered: 1_200, failed: 0 })
  })

  it('are spilled at once where the stream is missing, and sent when it is there', async () => {
    aws = await startTestAws({ autoCreateStreams: false, streams: ['other'] })
    const delivery = deliveryTo(tempDir(), { deliveryTimeout: 5_000 })
    const before = performance.now()
    const first = await delivery.deliver(records(3))
    const second = await delivery.deliver(records(3, 'everything', 3))
    expect(performance.now() - before).toBeLessThan(4_000)
    expect([...first, ...second].map(({ status }) => status)).toEqual(Array(6).fill('spilled'))
    aws.aws.createStream('everything')
    expect((await taken(6)).size).toBe(6)
  })

  it('are spilled when it closes, and sent by the next process', async () => {
    aws = await startTestAws()
    const directory = tempDir()
    const recover = aws.aws.addFault({ kind: 'hang' })
    const first = deliveryTo(directory, { deliveryTimeout: 60_000 })
    const outcomes = first.deliver(records(10))
    const report = await first.close({ timeout: 50 })
    expect(await outcomes).toEqual(Array(10).fill({ status: 'spilled' }))
    expect(report).toEqual({ everything: { delivered: 0, spilled: 10, failed: 0 } })
    recover()
    deliveryTo(directory)
    expect((await taken(10)).size).toBe(10)
  })

  it('of another role stay for whom they are meant', async () => {
    aws = await startTestAws()
    const directory = tempDir()
    const recover = aws.aws.addFault({ kind: 'hang' })
    const first = deliveryTo(directory, { deliveryTimeout: 60_000 })
    const spilled = first.deliver(records(1))
    await first.close({ timeout: 0 })
    await spilled
    recover()
    const other = deliveryTo(directory, { sourceId: 'src_other' })
    await other.deliver(records(1, 'everything', 1))
    await other.flush()
    expect(aws.taken.size).toBe(1)
    expect(filesIn(directory)).toHaveLength(1)
  })

  it('are spilled to a queue, and sent from there by any process', async () => {
    aws = await startTestAws()
    const own = { ...process.env }
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'any' })
    try {
      const client = new SQSClient({ endpoint: aws.aws.endpoint, region: 'us-west-2' })
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'spill' }))
      client.destroy()
      const recover = aws.aws.addFault({ kind: 'throttle', action: 'PutRecordBatch' })
      const first = deliveryTo(QueueUrl as string)
      const outcomes = await first.deliver(records(10))
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['spilled']))
      await first.close()
      recover()
      deliveryTo(QueueUrl as string)
      expect((await taken(10)).size).toBe(10)
    } finally {
      process.env = own
    }
  })

  it('fail where the spill is full, with both reasons', async () => {
    aws = await startTestAws()
    const delivery = deliveryTo(tempDir(), { spill: { directory: tempDir(), maxBytes: 1_024_000 } })
    aws.aws.addFault({ kind: 'throttle', action: 'PutRecordBatch' })
    const big = Array.from({ length: 3 }, (_, i) => ({
      stream: 'everything',
      data: Buffer.from(`${JSON.stringify({ i, x: 'x'.repeat(600_000) })}\n`),
    }))
    const outcomes = await delivery.deliver(big)
    const failed = outcomes.flatMap((it) => (it.status === 'failed' ? it.error : []))
    expect(failed.length).toBeGreaterThan(0)
    expect(failed[0]).toMatchObject({
      code: 'ERR_SPILL',
      message: expect.stringContaining('ERR_DELIVERY_TIMEOUT'),
    })
  })
})

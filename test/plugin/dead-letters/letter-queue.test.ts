import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import { openLetterQueue } from '../../../plugin/dead-letters/letter-queue.js'
import { openSpillQueue } from '../../../plugin/spill/spill-queue.js'
import { type LocalAws, startLocalAws } from '../../../server/local-aws/index.js'
import { takeLetters } from '../../../server/replay/take-letters.js'
import { tempDir } from '../../server/temp-dir.js'
import { records, silentLogger, WEB } from '../spill/harness.js'

const REGION = 'us-west-2'
const own = { ...process.env }
const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  process.env = { ...own }
})

async function queue(attributes: Partial<Record<QueueAttributeName, string>> = {}) {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAANYONE0000000000', AWS_SECRET_ACCESS_KEY: 'any' })
  const aws: LocalAws = await startLocalAws({ dir: tempDir() })
  const client = new SQSClient({ endpoint: aws.endpoint, region: REGION })
  cleanUps.push(
    () => aws.close(),
    () => client.destroy(),
  )
  const created = await client.send(new CreateQueueCommand({ QueueName: 'letters', Attributes: attributes }))
  const queueUrl = created.QueueUrl ?? ''
  const place = await openLetterQueue({ queueUrl, region: REGION, clock: systemClock })
  cleanUps.push(() => place.close())
  const folder = join(tempDir(), 'letters')
  const take = (signal = new AbortController().signal) =>
    takeLetters({ queueUrl, region: REGION, folder, signal, clock: systemClock, waitSeconds: 0 })
  const taken = () =>
    readdirSync(folder)
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('')
  const left = async () => {
    const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] })
    const { Attributes = {} } = await client.send(command)
    return (
      Number(Attributes['ApproximateNumberOfMessages']) +
      Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
    )
  }
  return { aws, client, queueUrl, place, take, taken, left, folder }
}

const line = (id: string, data: unknown = {}) => Buffer.from(`${JSON.stringify({ id, data })}\n`)

describe('dead letters in a queue', () => {
  it('are lines of a message, and taken out of it into a file', async () => {
    const { place, take, taken, left, folder } = await queue()
    const lines = [line('a', 'é\u0001\uFFFF'), line('b')]
    await place.write(lines)
    await place.write([line('c')])
    expect(await left()).toBe(2)
    expect(await take()).toEqual({ letters: 3, foreign: 0, incomplete: 0 })
    const found = taken().trimEnd().split('\n').sort()
    expect(found).toEqual([...lines, line('c')].map((it) => it.toString().trimEnd()).sort())
    expect(readdirSync(folder)).toHaveLength(1)
    expect(await left()).toBe(0)
  })

  it.each([
    ['1 MiB', {}, 3_000_000],
    ['1 KiB', { MaximumMessageSize: '1024' }, 5_000],
  ])('that no message of %s holds, even compressed, go in parts', async (_size, attributes, bytes) => {
    const { place, take, taken, left } = await queue(attributes)
    await place.tryOut()
    const large = line('large', randomBytes(bytes).toString('base64'))
    await place.write([line('a'), large, line('b')])
    expect(await left()).toBeGreaterThan(3)
    expect(await take()).toEqual({ letters: 3, foreign: 0, incomplete: 0 })
    const found = taken().trimEnd().split('\n')
    expect(found.map((it) => (JSON.parse(it) as { id: string }).id).sort()).toEqual(['a', 'b', 'large'])
    expect(found).toContain(large.toString().trimEnd())
    expect(await left()).toBe(0)
  })

  it('of which a part is missing stay where they are', async () => {
    const { aws, place, take, left, folder } = await queue()
    const stop = aws.addFault({ kind: 'error', code: 'AccessDenied', action: 'SendMessageBatch', share: 0.5 })
    await expect(place.write([line('large', randomBytes(8_000_000).toString('base64'))])).rejects.toThrow()
    stop()
    const parts = await left()
    expect(parts).toBeGreaterThan(0)
    expect(await take()).toEqual({ letters: 0, foreign: 0, incomplete: 1 })
    expect(() => readdirSync(folder)).toThrow('ENOENT')
    expect(await left()).toBe(parts)
  })

  it('leave what is none of them in the queue', async () => {
    const { client, queueUrl, place, take, left } = await queue()
    const spill = await openSpillQueue({
      queueUrl,
      region: REGION,
      clock: systemClock,
      logger: silentLogger(),
    })
    await spill.append(WEB, records('a'))
    await spill.close()
    const Entries = [
      { Id: 'a', MessageBody: 'hello' },
      {
        Id: 'b',
        MessageBody: 'no gzip',
        MessageAttributes: Object.fromEntries(
          Object.entries({ version: '1', kind: 'dead-letters', encoding: 'gzip' }).map(
            ([name, StringValue]) => [name, { DataType: 'String', StringValue }],
          ),
        ),
      },
    ]
    await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }))
    await place.write([line('c')])
    expect(await take()).toEqual({ letters: 1, foreign: 3, incomplete: 0 })
    expect(await left()).toBe(3)
  })

  it('are in their file before they are gone from the queue', async () => {
    const { aws, place, take, taken, left } = await queue()
    await place.write([line('a')])
    const stop = aws.addFault({ kind: 'error', code: 'AccessDenied', action: 'DeleteMessageBatch' })
    await expect(take()).rejects.toMatchObject({ name: 'AccessDenied' })
    stop()
    expect(taken()).toBe(line('a').toString())
    expect(await left()).toBe(1)
  })

  it('stay where they are when the command is interrupted', async () => {
    const { place, take, left } = await queue()
    await place.write([line('a')])
    expect(await take(AbortSignal.abort())).toEqual({ letters: 0, foreign: 0, incomplete: 0 })
    expect(await left()).toBe(1)
  })

  it('are tried without sending one', async () => {
    const { aws, place, left } = await queue()
    await place.tryOut()
    expect(await left()).toBe(0)
    aws.addFault({ kind: 'error', code: 'AccessDenied', action: 'GetQueueAttributes', status: 403 })
    await place.tryOut()
    aws.addFault({ kind: 'error', code: 'AccessDenied', action: 'SendMessage', status: 403 })
    await expect(place.tryOut()).rejects.toMatchObject({ name: 'AccessDenied' })
    aws.clearFaults()
    aws.deleteQueue('letters')
    await expect(place.tryOut()).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
  })
})

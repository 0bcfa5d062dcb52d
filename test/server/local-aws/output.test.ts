import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CreateDeliveryStreamCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { Output, type OutputSettings } from '../../../server/local-aws/output.js'
import { bytes, filesOf, start, stopAll } from './harness.js'

afterEach(stopAll)

const put = (stream: string, text: string) =>
  new PutRecordCommand({ DeliveryStreamName: stream, Record: { Data: bytes(text) } })

const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'

describe('the output', () => {
  test('is named as Firehose names it, by UTC', async () => {
    const now = () => Date.UTC(2026, 1, 3, 4, 5, 6, 789)
    const { aws, firehose } = await start({ now, maxClockSkewMs: Number.POSITIVE_INFINITY })
    await firehose().send(put('page_views', 'a\n'))
    await firehose().send(put('page_views', 'b\n'))
    await aws.flush()
    const files = await filesOf(aws.dir)
    expect(files).toHaveLength(1)
    expect(files[0]).toMatch(
      new RegExp(`^page_views/2026/02/03/04/page_views-1-2026-02-03-04-05-06-${UUID}$`),
    )
  })

  test('is compressed where the options or the stream say so', async () => {
    const { aws, firehose, read } = await start({
      compression: 'gzip',
      streams: [{ name: 'plain', compression: 'none' }],
    })
    await firehose().send(put('s', 'zipped'))
    await firehose().send(put('plain', 'plain'))
    await aws.flush()
    expect((await filesOf(aws.dir)).map((file) => file.endsWith('.gz'))).toEqual([false, true])
    expect(gunzipSync(await read('s')).toString()).toBe('zipped')
    expect((await read('plain')).toString()).toBe('plain')
  })

  test("is compressed where the stream's destination says so", async () => {
    const { aws, firehose, read } = await start()
    const destination = {
      RoleARN: 'arn:aws:iam::123456789012:role/to-s3',
      BucketARN: 'arn:aws:s3:::events',
      CompressionFormat: 'GZIP' as const,
    }
    await firehose().send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: 's',
        ExtendedS3DestinationConfiguration: destination,
      }),
    )
    await firehose().send(put('s', 'zipped'))
    await aws.flush()
    expect(gunzipSync(await read('s')).toString()).toBe('zipped')
  })

  test.each(['.', '..', '...'])('of a stream called %s stays in the folder', async (stream) => {
    const { aws, firehose } = await start()
    await firehose().send(put(stream, 'x'))
    await aws.flush()
    const folder = stream.replaceAll('.', '%2E')
    expect(await filesOf(aws.dir)).toEqual([expect.stringMatching(new RegExp(`^${folder}/\\d{4}/`))])
  })

  test('survives the end, and the end of its stream', async () => {
    const { aws, firehose, read } = await start({ buffering: { intervalMs: 3_600_000 } })
    await firehose().send(put('kept', 'a'))
    await firehose().send(put('deleted', 'b'))
    aws.deleteStream('deleted')
    expect(await filesOf(aws.dir)).toEqual([])
    await aws.close()
    expect((await read('kept')).toString()).toBe('a')
    expect((await read('deleted')).toString()).toBe('b')
  })
})

describe('buffering', () => {
  let settings: OutputSettings
  let errors: Error[]

  beforeEach(async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date'] })
    errors = []
    const dir = await mkdtemp(join(tmpdir(), 'local-aws-output-'))
    settings = { dir, sizeBytes: 4, intervalMs: 1_000, now: Date.now, onError: (error) => errors.push(error) }
  })

  afterEach(async () => {
    jest.useRealTimers()
    await rm(settings.dir, { recursive: true, force: true })
  })

  const target = { name: 's', compression: 'none' } as const

  test('makes a file of what came until its size was reached', async () => {
    const output = new Output(settings)
    for (const text of ['ab', 'cd', 'e']) output.append(target, Buffer.from(text))
    await output.close()
    expect(await filesOf(settings.dir)).toHaveLength(2)
  })

  test('makes a file when its first record is old enough', async () => {
    const output = new Output(settings)
    output.append(target, Buffer.from('a'))
    jest.advanceTimersByTime(999)
    output.append(target, Buffer.from('b'))
    jest.advanceTimersByTime(1)
    output.append(target, Buffer.from('c'))
    await output.close()
    expect(await filesOf(settings.dir)).toHaveLength(2)
  })

  test('keeps what could not be written, says so, and writes it later', async () => {
    const blocked = join(settings.dir, 's')
    await writeFile(blocked, 'a file where the folder should be')
    const output = new Output(settings)
    output.append(target, Buffer.from('ab'))
    jest.advanceTimersByTime(1_000)
    await expect(output.flush()).rejects.toThrow('ENOTDIR')
    expect(errors).toMatchObject([{ code: 'ENOTDIR' }])
    for (const text of ['full', 'rest']) output.append(target, Buffer.from(text))
    await expect(output.flush()).rejects.toThrow('ENOTDIR')
    await rm(blocked)
    await output.close()
    expect(await filesOf(blocked)).toHaveLength(3)
  })

  test('has an end, at which there is no room', () => {
    const output = new Output({ ...settings, sizeBytes: Number.POSITIVE_INFINITY })
    output.append(target, Buffer.alloc(100 * 1024 * 1024))
    expect(output.hasRoomFor(28 * 1024 * 1024)).toBe(true)
    expect(output.hasRoomFor(28 * 1024 * 1024 + 1)).toBe(false)
  })
})

import {
  CreateDeliveryStreamCommand,
  type CreateDeliveryStreamCommandInput,
  DeleteDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  ListDeliveryStreamsCommand,
  ListTagsForDeliveryStreamCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
  TagDeliveryStreamCommand,
  UntagDeliveryStreamCommand,
} from '@aws-sdk/client-firehose'
import { afterEach, describe, expect, test } from '@jest/globals'
import { start, stopAll } from './harness.js'

afterEach(stopAll)

const S3 = { RoleARN: 'arn:aws:iam::123456789012:role/to-s3', BucketARN: 'arn:aws:s3:::events' }
const create = (input: Partial<CreateDeliveryStreamCommandInput> = {}) =>
  new CreateDeliveryStreamCommand({ DeliveryStreamName: 's', ...input })

describe('CreateDeliveryStream', () => {
  test('makes a stream that describes itself as AWS would', async () => {
    const now = Date.UTC(2026, 0, 2, 3, 4, 5)
    const { firehose } = await start({ now: () => now, maxClockSkewMs: Number.POSITIVE_INFINITY })
    const destination = { ...S3, Prefix: 'raw/', BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 } }
    const { DeliveryStreamARN } = await firehose().send(
      create({ ExtendedS3DestinationConfiguration: destination }),
    )
    expect(DeliveryStreamARN).toBe('arn:aws:firehose:us-west-2:123456789012:deliverystream/s')
    const { DeliveryStreamDescription: description } = await firehose().send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName: 's' }),
    )
    expect(description).toMatchObject({
      DeliveryStreamName: 's',
      DeliveryStreamARN,
      DeliveryStreamStatus: 'ACTIVE',
      DeliveryStreamType: 'DirectPut',
      VersionId: '1',
      CreateTimestamp: new Date(now),
      HasMoreDestinations: false,
    })
    expect(description?.Destinations?.[0]?.ExtendedS3DestinationDescription).toMatchObject({
      ...destination,
      CompressionFormat: 'UNCOMPRESSED',
    })
  })

  test('names the partition of the region', async () => {
    const { firehose } = await start()
    const arn = async (region: string, name: string) =>
      (await firehose(undefined, region).send(create({ DeliveryStreamName: name }))).DeliveryStreamARN
    expect(await arn('cn-north-1', 'a')).toBe('arn:aws-cn:firehose:cn-north-1:123456789012:deliverystream/a')
    expect(await arn('us-gov-west-1', 'b')).toBe(
      'arn:aws-us-gov:firehose:us-gov-west-1:123456789012:deliverystream/b',
    )
  })

  test('makes a stream of one region', async () => {
    const { aws, firehose } = await start({ streams: ['everywhere'], autoCreateStreams: false })
    const list = (region: string) => firehose(undefined, region).send(new ListDeliveryStreamsCommand({}))
    await firehose().send(create())
    expect(await list('us-west-2')).toMatchObject({ DeliveryStreamNames: ['everywhere', 's'] })
    expect(await list('eu-west-1')).toMatchObject({ DeliveryStreamNames: ['everywhere'] })
    const put = new PutRecordCommand({ DeliveryStreamName: 's', Record: { Data: Buffer.from('x') } })
    await expect(firehose(undefined, 'eu-west-1').send(put)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    })
    await firehose(undefined, 'eu-west-1').send(create())
    await firehose().send(new DeleteDeliveryStreamCommand({ DeliveryStreamName: 's' }))
    expect(await list('eu-west-1')).toMatchObject({ DeliveryStreamNames: ['everywhere', 's'] })
    expect(() => aws.createStream('s')).toThrow('already exists')
    aws.deleteStream('s')
    aws.deleteStream('everywhere')
    expect(await list('eu-west-1')).toMatchObject({ DeliveryStreamNames: [] })
  })

  test('takes an encryption, describes it, and says of records that they are encrypted', async () => {
    const { firehose } = await start()
    const KeyARN = 'arn:aws:kms:us-west-2:123456789012:key/1234abcd'
    const DeliveryStreamEncryptionConfigurationInput = { KeyType: 'CUSTOMER_MANAGED_CMK', KeyARN } as const
    await firehose().send(create({ DeliveryStreamEncryptionConfigurationInput }))
    const describe = new DescribeDeliveryStreamCommand({ DeliveryStreamName: 's' })
    const { DeliveryStreamDescription: description } = await firehose().send(describe)
    expect(description?.DeliveryStreamEncryptionConfiguration).toEqual({
      Status: 'ENABLED',
      KeyType: 'CUSTOMER_MANAGED_CMK',
      KeyARN,
    })
    const Record = { Data: Buffer.from('x') }
    const put = new PutRecordCommand({ DeliveryStreamName: 's', Record })
    expect(await firehose().send(put)).toMatchObject({ Encrypted: true })
    const batch = new PutRecordBatchCommand({ DeliveryStreamName: 's', Records: [Record] })
    expect(await firehose().send(batch)).toMatchObject({ Encrypted: true })
    const plain = new PutRecordCommand({ DeliveryStreamName: 'plain', Record })
    expect(await firehose().send(plain)).toMatchObject({ Encrypted: false })
  })

  test('refuses a second one of the name', async () => {
    const { firehose } = await start({ streams: ['s'] })
    await expect(firehose().send(create())).rejects.toMatchObject({
      name: 'ResourceInUseException',
      message: 'Firehose s under accountId 123456789012 already exists',
    })
  })

  test('refuses more than 5,000 streams', async () => {
    const streams = Array.from({ length: 5_000 }, (_, index) => `s${index}`)
    const { firehose } = await start({ streams })
    await expect(firehose().send(create())).rejects.toMatchObject({ name: 'LimitExceededException' })
  })

  test.each<[string, Partial<CreateDeliveryStreamCommandInput>, string]>([
    [
      'two destinations',
      { S3DestinationConfiguration: S3, ExtendedS3DestinationConfiguration: S3 },
      'Exactly one destination configuration is supported for a Firehose',
    ],
    [
      'a bucket that is none',
      { ExtendedS3DestinationConfiguration: { ...S3, BucketARN: 'events' } },
      "Value 'events' at 'extendedS3DestinationConfiguration.bucketARN' failed to satisfy constraint",
    ],
    [
      'hints out of range',
      { ExtendedS3DestinationConfiguration: { ...S3, BufferingHints: { IntervalInSeconds: 901 } } },
      'Member must have value less than or equal to 900',
    ],
    ['a stream that reads', { DeliveryStreamType: 'KinesisStreamAsSource' }, 'only DirectPut'],
    [
      'a source for a stream that takes puts',
      {
        DeliveryStreamType: 'DirectPut',
        KinesisStreamSourceConfiguration: { KinesisStreamARN: 'kinesis_test_ds', RoleARN: 'foo' },
      },
      'KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type',
    ],
    [
      'a key of the customer without its ARN',
      { DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK' } },
      'KeyARN is required',
    ],
    [
      "an ARN for AWS's own key",
      {
        DeliveryStreamEncryptionConfigurationInput: {
          KeyType: 'AWS_OWNED_CMK',
          KeyARN: 'arn:aws:kms:us-west-2:123456789012:key/1234abcd',
        },
      },
      'KeyARN is not allowed',
    ],
    [
      'a key that is none',
      { DeliveryStreamEncryptionConfigurationInput: { KeyType: 'CUSTOMER_MANAGED_CMK', KeyARN: 'key' } },
      "Value 'key' at 'deliveryStreamEncryptionConfigurationInput.keyARN' failed to satisfy constraint",
    ],
    [
      'a compression it does not write',
      { ExtendedS3DestinationConfiguration: { ...S3, CompressionFormat: 'Snappy' } },
      'GZIP or UNCOMPRESSED, not Snappy',
    ],
    [
      'another kind of destination',
      {
        HttpEndpointDestinationConfiguration: {
          EndpointConfiguration: { Url: 'https://x' },
          S3Configuration: S3,
        },
      },
      'delivers to S3 only',
    ],
  ])('refuses %s', async (_, input, message) => {
    const { firehose } = await start()
    await expect(firehose().send(create(input))).rejects.toThrow(message)
  })
})

describe('ListDeliveryStreams', () => {
  test('goes through them in order, a page at a time', async () => {
    const { firehose } = await start({ streams: ['c', 'a', 'b'] })
    const list = (Limit?: number, ExclusiveStartDeliveryStreamName?: string) =>
      firehose().send(new ListDeliveryStreamsCommand({ Limit, ExclusiveStartDeliveryStreamName }))
    expect(await list(2)).toMatchObject({ DeliveryStreamNames: ['a', 'b'], HasMoreDeliveryStreams: true })
    expect(await list(2, 'b')).toMatchObject({ DeliveryStreamNames: ['c'], HasMoreDeliveryStreams: false })
    await expect(list(0)).rejects.toThrow('Member must have value greater than or equal to 1')
  })

  test('gives ten where no limit is asked for', async () => {
    const streams = Array.from({ length: 11 }, (_, index) => `s${index}`)
    const { firehose } = await start({ streams })
    const page = await firehose().send(new ListDeliveryStreamsCommand({}))
    expect(page.DeliveryStreamNames).toHaveLength(10)
    expect(page.HasMoreDeliveryStreams).toBe(true)
  })
})

describe('DeleteDeliveryStream', () => {
  test('takes the stream away', async () => {
    const { firehose } = await start({ streams: ['s'] })
    const remove = new DeleteDeliveryStreamCommand({ DeliveryStreamName: 's' })
    await firehose().send(remove)
    await expect(firehose().send(remove)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('tags', () => {
  test('are set, listed a page at a time, and taken off', async () => {
    const { firehose } = await start({ streams: [{ name: 's', tags: { team: 'data' } }] })
    const name = { DeliveryStreamName: 's' }
    const list = (Limit?: number) => firehose().send(new ListTagsForDeliveryStreamCommand({ ...name, Limit }))
    await firehose().send(new TagDeliveryStreamCommand({ ...name, Tags: [{ Key: 'env', Value: 'dev' }] }))
    expect(await list(1)).toMatchObject({ Tags: [{ Key: 'env', Value: 'dev' }], HasMoreTags: true })
    await firehose().send(new UntagDeliveryStreamCommand({ ...name, TagKeys: ['env'] }))
    expect(await list()).toMatchObject({ Tags: [{ Key: 'team', Value: 'data' }], HasMoreTags: false })
  })

  test('are limited to 50 a stream, and cannot be of AWS', async () => {
    const { firehose } = await start({ streams: ['s'] })
    const tag = (keys: string[]) =>
      firehose().send(
        new TagDeliveryStreamCommand({ DeliveryStreamName: 's', Tags: keys.map((Key) => ({ Key })) }),
      )
    await tag(Array.from({ length: 50 }, (_, index) => `k${index}`))
    await tag(['k0'])
    await expect(tag(['one more'])).rejects.toMatchObject({ name: 'LimitExceededException' })
    await expect(tag(['aws:x'])).rejects.toMatchObject({ name: 'ValidationException' })
  })
})

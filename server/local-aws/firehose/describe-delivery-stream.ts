import { deliveryStreamArn } from '../arn.js'
import { Validation } from '../validation.js'
import { describeEncryption } from './encryption.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'
import type { DeliveryStream } from './streams.js'

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html */
export const describeDeliveryStream: FirehoseOperation = ({ streams }, { input, caller, region }) => {
  const name = input.text('DeliveryStreamName')
  new Validation()
    .text('deliveryStreamName', name, STREAM_NAME)
    .number('limit', input.integer('Limit'), { min: 1, max: 10_000 })
    .text('exclusiveStartDestinationId', input.text('ExclusiveStartDestinationId'), {
      min: 1,
      max: 100,
      pattern: '[a-zA-Z0-9-]+',
    })
    .finish('ValidationException')

  const stream = streams.get(name ?? '', { accountId: caller.accountId, region })
  const seconds = stream.createdAt / 1000
  return {
    output: {
      DeliveryStreamDescription: {
        DeliveryStreamName: stream.name,
        DeliveryStreamARN: deliveryStreamArn(region, caller.accountId, stream.name),
        DeliveryStreamStatus: 'ACTIVE',
        DeliveryStreamEncryptionConfiguration: describeEncryption(stream.encryption),
        DeliveryStreamType: 'DirectPut',
        VersionId: '1',
        CreateTimestamp: seconds,
        LastUpdateTimestamp: seconds,
        Destinations: [destinationOf(stream, caller.accountId)],
        HasMoreDestinations: false,
      },
    },
  }
}

function destinationOf(stream: DeliveryStream, accountId: string): object {
  const given = stream.destination
  const s3 = {
    RoleARN: given['RoleARN'] ?? `arn:aws:iam::${accountId}:role/local-firehose`,
    BucketARN: given['BucketARN'] ?? 'arn:aws:s3:::local-aws',
    ...(given['Prefix'] !== undefined && { Prefix: given['Prefix'] }),
    ...(given['ErrorOutputPrefix'] !== undefined && { ErrorOutputPrefix: given['ErrorOutputPrefix'] }),
    BufferingHints: given['BufferingHints'] ?? { SizeInMBs: 5, IntervalInSeconds: 300 },
    CompressionFormat:
      given['CompressionFormat'] ?? (stream.compression === 'gzip' ? 'GZIP' : 'UNCOMPRESSED'),
    EncryptionConfiguration: { NoEncryptionConfig: 'NoEncryption' },
    CloudWatchLoggingOptions: { Enabled: false },
  }
  return {
    DestinationId: 'destinationId-000000000001',
    S3DestinationDescription: s3,
    ExtendedS3DestinationDescription: { ...s3, S3BackupMode: 'Disabled' },
  }
}

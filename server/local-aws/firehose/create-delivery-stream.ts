import { deliveryStreamArn } from '../arn.js'
import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'
import { Validation } from '../validation.js'
import { checkEncryption, readEncryption } from './encryption.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'
import { readTags } from './tags.js'

const S3_DESTINATIONS = ['ExtendedS3DestinationConfiguration', 'S3DestinationConfiguration']

/** What a stream may read from, and AWS's refusal for one that takes direct puts. */
const SOURCES: readonly (readonly [field: string, name: string, type: string])[] = [
  ['KinesisStreamSourceConfiguration', 'KinesisSourceStreamConfig', 'KinesisStreamAsSource'],
  ['MSKSourceConfiguration', 'MSKSourceConfig', 'MSKAsSource'],
  ['DatabaseSourceConfiguration', 'DatabaseSourceConfig', 'DatabaseAsSource'],
]

/**
 * Only direct puts to S3, which here is the output folder. Unlike AWS's, a stream needs no destination, since
 * there is one anyway, and is ACTIVE at once.
 * https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html
 */
export const createDeliveryStream: FirehoseOperation = ({ streams }, { input, caller, region }) => {
  const name = input.text('DeliveryStreamName')
  const type = input.text('DeliveryStreamType')
  const tags = readTags(input)
  const validation = new Validation()
    .text('deliveryStreamName', name, STREAM_NAME)
    .text('deliveryStreamType', type, {
      values: ['DirectPut', 'KinesisStreamAsSource', 'MSKAsSource', 'DatabaseAsSource'],
    })
  tags.validate(validation, { required: false })
  const encryption = readEncryption(input, validation)
  const destination = readDestination(input, validation)
  validation.finish('ValidationException')
  if (type !== undefined && type !== 'DirectPut') {
    throw invalidArgument(`The local AWS has no streams of type ${type}, only DirectPut.`)
  }
  refuseSources(input)
  if (encryption !== undefined) checkEncryption(encryption)

  const compression = destination?.text('CompressionFormat')
  if (compression !== undefined && compression !== 'GZIP' && compression !== 'UNCOMPRESSED') {
    throw invalidArgument(`The local AWS writes GZIP or UNCOMPRESSED, not ${compression}.`)
  }

  const stream = streams.create(
    {
      name: name ?? '',
      destination: destination?.raw() ?? {},
      tags: tags.pairs,
      encryption,
      ...(compression !== undefined && { compression: compression === 'GZIP' ? 'gzip' : 'none' }),
    },
    { accountId: caller.accountId, region },
  )
  return { output: { DeliveryStreamARN: deliveryStreamArn(region, caller.accountId, stream.name) } }
}

/** @throws AwsError InvalidArgumentException */
function refuseSources(input: Input): void {
  const given = SOURCES.find(([field]) => input.structure(field) !== undefined)
  if (given === undefined) return
  const [, name, type] = given
  throw invalidArgument(`${name} is only applicable for ${type} stream type`)
}

function readDestination(input: Input, validation: Validation): Input | undefined {
  const given = input.names().filter((name) => name.endsWith('DestinationConfiguration'))
  if (given.length > 1) {
    throw invalidArgument('Exactly one destination configuration is supported for a Firehose')
  }
  const [name] = given
  if (name === undefined) return undefined
  if (!S3_DESTINATIONS.includes(name)) {
    throw invalidArgument(`The local AWS delivers to S3 only, not by ${name}.`)
  }
  const destination = input.structure(name)
  const path = `${name.charAt(0).toLowerCase()}${name.slice(1)}`
  const hints = destination?.structure('BufferingHints')
  validation
    .text(`${path}.roleARN`, destination?.text('RoleARN'), {
      required: true,
      min: 1,
      max: 512,
      pattern: 'arn:.*:iam::\\d{12}:role/[a-zA-Z_0-9+=,.@\\-_/]+',
    })
    .text(`${path}.bucketARN`, destination?.text('BucketARN'), {
      required: true,
      min: 1,
      max: 2048,
      pattern: 'arn:.*:s3:::[\\w\\.\\-]{1,255}',
    })
    .text(`${path}.compressionFormat`, destination?.text('CompressionFormat'), {
      values: ['UNCOMPRESSED', 'GZIP', 'ZIP', 'Snappy', 'HADOOP_SNAPPY'],
    })
    .number(`${path}.bufferingHints.sizeInMBs`, hints?.integer('SizeInMBs'), { min: 1, max: 128 })
    .number(`${path}.bufferingHints.intervalInSeconds`, hints?.integer('IntervalInSeconds'), {
      min: 0,
      max: 900,
    })
  return destination
}

function invalidArgument(message: string): AwsError {
  return new AwsError('InvalidArgumentException', 400, message)
}

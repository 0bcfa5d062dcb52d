import { AwsError } from '../aws-error.js'
import { Validation } from '../validation.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'
import { readTags } from './tags.js'

const MAX_TAGS = 50

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_TagDeliveryStream.html */
export const tagDeliveryStream: FirehoseOperation = ({ streams }, { input, caller, region }) => {
  const name = input.text('DeliveryStreamName')
  const tags = readTags(input)
  const validation = new Validation().text('deliveryStreamName', name, STREAM_NAME)
  tags.validate(validation, { required: true })
  validation.finish('ValidationException')

  const stream = streams.get(name ?? '', { accountId: caller.accountId, region })
  const added = tags.pairs.filter(([key]) => !stream.tags.has(key))
  if (stream.tags.size + new Set(added.map(([key]) => key)).size > MAX_TAGS) {
    throw new AwsError('LimitExceededException', 400, `A delivery stream can have at most ${MAX_TAGS} tags.`)
  }
  for (const [key, value] of tags.pairs) stream.tags.set(key, value)
  return { output: {} }
}

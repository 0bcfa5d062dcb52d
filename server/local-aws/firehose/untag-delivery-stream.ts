import { Validation } from '../validation.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'
import { TAG_KEY } from './tags.js'

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_UntagDeliveryStream.html */
export const untagDeliveryStream: FirehoseOperation = ({ streams }, { input, caller, region }) => {
  const name = input.text('DeliveryStreamName')
  const keys = input.texts('TagKeys')
  const validation = new Validation()
    .text('deliveryStreamName', name, STREAM_NAME)
    .list('tagKeys', keys?.length, { required: true, min: 1, max: 50 })
  for (const [index, key] of (keys ?? []).entries()) {
    validation.text(`tagKeys.${index + 1}.member`, key, TAG_KEY)
  }
  validation.finish('ValidationException')

  const stream = streams.get(name ?? '', { accountId: caller.accountId, region })
  for (const key of keys ?? []) stream.tags.delete(key)
  return { output: {} }
}

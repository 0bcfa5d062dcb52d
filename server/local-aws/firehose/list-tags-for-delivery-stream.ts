import { Validation } from '../validation.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'
import { TAG_KEY } from './tags.js'

const DEFAULT_LIMIT = 50

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_ListTagsForDeliveryStream.html */
export const listTagsForDeliveryStream: FirehoseOperation = ({ streams }, { input, caller, region }) => {
  const name = input.text('DeliveryStreamName')
  const limit = input.integer('Limit')
  const after = input.text('ExclusiveStartTagKey')
  new Validation()
    .text('deliveryStreamName', name, STREAM_NAME)
    .text('exclusiveStartTagKey', after, TAG_KEY)
    .number('limit', limit, { min: 1, max: 50 })
    .finish('ValidationException')

  const tags = [...streams.get(name ?? '', { accountId: caller.accountId, region }).tags]
    .filter(([key]) => after === undefined || key > after)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }))
  const page = tags.slice(0, limit ?? DEFAULT_LIMIT)
  return { output: { HasMoreTags: page.length < tags.length, Tags: page } }
}

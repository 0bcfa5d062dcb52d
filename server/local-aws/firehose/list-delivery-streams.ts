import { Validation } from '../validation.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'

/** AWS's default. */
const DEFAULT_LIMIT = 10

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_ListDeliveryStreams.html */
export const listDeliveryStreams: FirehoseOperation = ({ streams }, { input, region }) => {
  const limit = input.integer('Limit')
  const type = input.text('DeliveryStreamType')
  const after = input.text('ExclusiveStartDeliveryStreamName')
  new Validation()
    .number('limit', limit, { min: 1, max: 10_000 })
    .text('deliveryStreamType', type, {
      values: ['DirectPut', 'KinesisStreamAsSource', 'MSKAsSource', 'DatabaseAsSource'],
    })
    .text('exclusiveStartDeliveryStreamName', after, { ...STREAM_NAME, required: false })
    .finish('ValidationException')

  const ofType = type === undefined || type === 'DirectPut' ? streams.names(region) : []
  const names = ofType.filter((name) => after === undefined || name > after)
  const page = names.slice(0, limit ?? DEFAULT_LIMIT)
  return { output: { DeliveryStreamNames: page, HasMoreDeliveryStreams: page.length < names.length } }
}

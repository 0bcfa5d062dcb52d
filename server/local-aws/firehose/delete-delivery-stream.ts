import { Validation } from '../validation.js'
import { type FirehoseOperation, STREAM_NAME } from './operation.js'

/**
 * The stream is gone at once; what it has taken is still written.
 * https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeleteDeliveryStream.html
 */
export const deleteDeliveryStream: FirehoseOperation = ({ streams }, { input, caller, region }) => {
  const name = input.text('DeliveryStreamName')
  new Validation().text('deliveryStreamName', name, STREAM_NAME).finish('ValidationException')
  streams.delete(name ?? '', { accountId: caller.accountId, region })
  return { output: {} }
}

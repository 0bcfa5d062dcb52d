import { createDeliveryStream } from './create-delivery-stream.js'
import { deleteDeliveryStream } from './delete-delivery-stream.js'
import { describeDeliveryStream } from './describe-delivery-stream.js'
import { listDeliveryStreams } from './list-delivery-streams.js'
import { listTagsForDeliveryStream } from './list-tags-for-delivery-stream.js'
import type { FirehoseOperation } from './operation.js'
import { putRecord } from './put-record.js'
import { putRecordBatch } from './put-record-batch.js'
import { tagDeliveryStream } from './tag-delivery-stream.js'
import { untagDeliveryStream } from './untag-delivery-stream.js'

/** By the name that follows `Firehose_20150804.` in the request's target. */
export const FIREHOSE_OPERATIONS: ReadonlyMap<string, FirehoseOperation> = new Map([
  ['CreateDeliveryStream', createDeliveryStream],
  ['DeleteDeliveryStream', deleteDeliveryStream],
  ['DescribeDeliveryStream', describeDeliveryStream],
  ['ListDeliveryStreams', listDeliveryStreams],
  ['ListTagsForDeliveryStream', listTagsForDeliveryStream],
  ['PutRecord', putRecord],
  ['PutRecordBatch', putRecordBatch],
  ['TagDeliveryStream', tagDeliveryStream],
  ['UntagDeliveryStream', untagDeliveryStream],
])

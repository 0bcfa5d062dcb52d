import { partitionOf } from '../settings/regions.js'

/** The actions a role needs on a stream; PutRecord is what is left where a policy has only that. */
const STREAM_ACTIONS = ['firehose:PutRecord', 'firehose:PutRecordBatch'] as const

/**
 * What AWS wants of whoever writes to a stream or queue with a customer-managed key: of streams that were created since
 * 20 April 2026, and of all from 28 February 2027 on (AWS's notice to customers).
 */
const KEY_ACTIONS = ['kms:GenerateDataKey', 'kms:Decrypt'] as const

const ROLE = /^arn:(?<partition>[^:]+):iam::(?<account>\d{12}):/

/**
 * A stream's ARN; account and partition are those of the role, which lies beside the streams.
 *
 * @param account - of the stream where there is no role. @default any
 */
export function streamArn(
  stream: string,
  region: string,
  roleAddress: string | undefined,
  account = '*',
): string {
  const role = ROLE.exec(roleAddress ?? '')?.groups
  const partition = role?.['partition'] ?? partitionOf(region)
  return `arn:${partition}:firehose:${region}:${role?.['account'] ?? account}:deliverystream/${stream}`
}

/** The statement of an IAM policy that allows all that is needed on streams. */
export function allowStreams(arns: readonly string[]) {
  return { Effect: 'Allow', Action: [...STREAM_ACTIONS], Resource: [...arns] } as const
}

/** The statement of an IAM policy that allows all that is needed on the keys of streams. */
export function allowKey(arns: readonly string[]) {
  return { Effect: 'Allow', Action: [...KEY_ACTIONS], Resource: [...arns] } as const
}

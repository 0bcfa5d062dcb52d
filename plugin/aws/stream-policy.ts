/** The actions a role needs on a stream; PutRecord is what is left where a policy has only that. */
const STREAM_ACTIONS = ['firehose:PutRecord', 'firehose:PutRecordBatch'] as const

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

/** Where there is no role to tell it. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}

/** The statement of an IAM policy that allows all that is needed on streams. */
export function allowStreams(arns: readonly string[]) {
  return { Effect: 'Allow', Action: [...STREAM_ACTIONS], Resource: [...arns] } as const
}

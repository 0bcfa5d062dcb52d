/** The actions a role needs on a stream; PutRecord is what is left where a policy has only that. */
const STREAM_ACTIONS = ['firehose:PutRecord', 'firehose:PutRecordBatch'] as const

const ROLE = /^arn:(?<partition>[^:]+):iam::(?<account>\d{12}):/

/** A stream's ARN; account and partition are those of the role, which lies beside the streams. */
export function streamArn(stream: string, region: string, roleAddress: string | undefined): string {
  const role = ROLE.exec(roleAddress ?? '')?.groups
  return `arn:${role?.['partition'] ?? 'aws'}:firehose:${region}:${role?.['account'] ?? '*'}:deliverystream/${stream}`
}

/** The statement of an IAM policy that allows all that is needed on streams. */
export function allowStreams(arns: readonly string[]) {
  return { Effect: 'Allow', Action: [...STREAM_ACTIONS], Resource: [...arns] } as const
}

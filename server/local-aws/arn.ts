const ROLE_ARN = /^arn:(aws[a-z-]*):iam::(\d{12}):role\/((?:[\w+=,.@-]+\/)*)([\w+=,.@-]{1,64})$/

export interface RoleArn {
  readonly partition: string
  readonly accountId: string
  readonly roleName: string
}

/** The parts of a role's ARN, or undefined where it is none. A path (`role/team/name`) is allowed. */
export function parseRoleArn(arn: string): RoleArn | undefined {
  const match = ROLE_ARN.exec(arn)
  if (match === null) return undefined
  const [, partition = '', accountId = '', , roleName = ''] = match
  return { partition, accountId, roleName }
}

/** As AWS names the user of assumed-role credentials; the role's path is not part of it. */
export function assumedRoleArn(role: RoleArn, sessionName: string): string {
  return `arn:${role.partition}:sts::${role.accountId}:assumed-role/${role.roleName}/${sessionName}`
}

export function deliveryStreamArn(region: string, accountId: string, streamName: string): string {
  return `arn:${partitionOf(region)}:firehose:${region}:${accountId}:deliverystream/${streamName}`
}

export function queueArn(region: string, accountId: string, queueName: string): string {
  return `arn:${partitionOf(region)}:sqs:${region}:${accountId}:${queueName}`
}

/** By the beginning of a region's name. https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
const PARTITIONS: readonly (readonly [regions: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
  ['eusc-', 'aws-eusc'],
]

function partitionOf(region: string): string {
  return PARTITIONS.find(([regions]) => region.startsWith(regions))?.[1] ?? 'aws'
}

export function userArn(region: string, accountId: string, userName: string): string {
  return `arn:${partitionOf(region)}:iam::${accountId}:user/${userName}`
}

/** The ARN of an object, or of its bucket where no key is given. */
export function objectArn(region: string, bucket: string, key?: string): string {
  return `arn:${partitionOf(region)}:s3:::${bucket}${key === undefined ? '' : `/${key}`}`
}

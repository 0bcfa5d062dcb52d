/** The name of an AWS region. */
export const REGION = /^[a-z]{2,}(-[a-z0-9]+)+-\d+$/

/** As a label of a host: stricter, as the ID of a VPC endpoint, or the name of a proxy, could be taken for one. */
const REGION_LABEL =
  /^(?:us-gov|us-iso[a-z]?|eu-iso[a-z]?|eusc-[a-z]{2}|[a-z]{2})-(?:north|south|central)?(?:east|west)?-\d{1,2}$/

/** Hosts of the time before regions, and those that stand for all regions. */
const GLOBAL_HOST = /^(?:queue|sqs|sts)\.amazonaws\.com$/

/**
 * By the beginning of a region, the longest first.
 * Source: https://github.com/aws/aws-sdk-js-v3/blob/main/packages/core/src/submodules/client/util-endpoints/lib/aws/partitions.ts
 */
const PARTITIONS: readonly (readonly [beginning: string, partition: string])[] = [
  ['us-isob-', 'aws-iso-b'],
  ['us-isof-', 'aws-iso-f'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-iso-', 'aws-iso'],
  ['us-gov-', 'aws-us-gov'],
  ['eusc-', 'aws-eusc'],
  ['cn-', 'aws-cn'],
]

/** The partition that a region is of: the second part of each ARN there. */
export function partitionOf(region: string): string {
  return PARTITIONS.find(([beginning]) => region.startsWith(beginning))?.[1] ?? 'aws'
}

/**
 * The region that the URL of an endpoint or a queue names, wherever it stands: `sqs.eu-west-1.amazonaws.com`,
 * `eu-west-1.queue.amazonaws.com`, `vpce-….sqs.eu-west-1.vpce.amazonaws.com`, `sqs-fips.us-east-1.api.aws`.
 */
export function regionOfUrl(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined) return undefined
  const { hostname, pathname } = parsed
  if (GLOBAL_HOST.test(hostname)) return 'us-east-1'
  // LocalStack may have it in the path, before the name of the queue.
  const labels = [...hostname.split('.'), ...pathname.split('/').slice(0, -1)]
  return labels.find((label) => REGION_LABEL.test(label))
}

import { environmentKeyProblems, keyProblems } from './aws-keys.js'
import { environmentProxyProblem } from './environment-proxy.js'
import { KEY_ARN, type MappingRow, readStream } from './mapped-streams.js'
import { showValue } from './problems.js'
import { partitionOf, REGION, regionOfUrl } from './regions.js'
import { NAME_THE_REGION, type Values } from './schema.js'
import type { AwsClientConfig } from './settings.js'

/** The settings that have a default here, complete. */
interface Completed {
  readonly region: string
  readonly roleAddress: string | undefined
  readonly flushInterval: number
  readonly deliveryTimeout: number
  readonly clientConfig: AwsClientConfig
  readonly httpsProxy: string | false | undefined
}

/** A setting's name, and what is wrong with it. */
type Problem = readonly [name: string, problem: string]

/**
 * What is right by itself and wrong beside the rest.
 *
 * @param wrong - settings that are wrong by themselves: nothing is compared with them
 */
export function contradictions(
  values: Values,
  configuration: Completed,
  wrong: ReadonlySet<unknown>,
): Problem[] {
  const { mappedStreams = [], aggregation = [] } = values
  const { region, roleAddress, flushInterval, deliveryTimeout } = configuration
  const found: Problem[] = []
  if (!wrong.has('region')) {
    if (REGION.test(region)) found.push(...elsewhere(values, configuration))
    else found.push(['region', `got ${showValue(region, [])} from AWS_REGION; ${NAME_THE_REGION}`])
  }
  if (!wrong.has('roleAddress')) {
    for (const problem of streamsElsewhere(mappedStreams, roleAddress)) found.push(['mappedStreams', problem])
    if (values.assumeRole !== undefined && roleAddress === undefined)
      found.push(['assumeRole', 'has no effect without roleAddress; name the role, or leave assumeRole out'])
  }
  if (!wrong.has('mappedStreams')) {
    for (const stream of unmappedAmong(aggregation, mappedStreams)) {
      const problem = 'no row of mappedStreams names this stream; name one that stands there, or *'
      found.push([`aggregation.${stream}`, problem])
    }
    for (const problem of keysThatDiffer(mappedStreams)) found.push(['mappedStreams', problem])
  }
  if (!wrong.has('deliveryTimeout') && flushInterval >= deliveryTimeout) {
    const problem = `got ${flushInterval}; use less than deliveryTimeout, ${deliveryTimeout} ms`
    found.push(['flushInterval', problem])
  }
  const [keyProblem] = keyProblems(Object(values.clientConfig?.credentials))
  if (keyProblem !== undefined) found.push(['clientConfig', `credentials: ${keyProblem}`])
  return found
}

/** What is wrong in the environment, and would show at the first call only, as an error that says nothing of it. */
export function environmentProblems(
  { clientConfig, httpsProxy }: Completed,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const proxyProblem = httpsProxy === undefined ? environmentProxyProblem(env) : undefined
  return [
    ...(clientConfig.credentials === undefined ? environmentKeyProblems(env) : []),
    ...(proxyProblem === undefined ? [] : [proxyProblem]),
  ]
}

/** What lies in another region or partition than the destination. */
function elsewhere(
  { mappedStreams = [], roleAddress, endpoint, stsEndpoint }: Values,
  { region }: Completed,
): Problem[] {
  const partition = partitionOf(region)
  const found: Problem[] = []
  for (const { stream, kmsKey } of mappedStreams) {
    for (const problem of [foreignStream(stream, region), foreignKey(kmsKey, region)])
      if (problem !== undefined) found.push(['mappedStreams', problem])
  }
  const ofRole = roleAddress?.split(':')[1] ?? partition
  if (ofRole !== partition) {
    const problem = `got ${roleAddress}, a role of the partition ${ofRole}, but the region ${region} is of ${partition}; give a role of that partition, or set region`
    found.push(['roleAddress', problem])
  }
  const ofEndpoint = (endpoint && regionOfUrl(endpoint)) ?? region
  if (ofEndpoint !== region) {
    const problem = `got ${showValue(endpoint, [])}, which is of ${ofEndpoint}, but the destination's region is ${region}; set region to '${ofEndpoint}', or leave it out`
    found.push(['endpoint', problem])
  }
  const ofSts = (stsEndpoint && regionOfUrl(stsEndpoint)) ?? region
  if (partitionOf(ofSts) !== partition) {
    const problem = `got ${showValue(stsEndpoint, [])}, which is of the partition ${partitionOf(ofSts)}, but the region ${region} is of ${partition}; give an STS of that partition`
    found.push(['stsEndpoint', problem])
  }
  return found
}

function foreignStream(stream: string, region: string): string | undefined {
  const { region: foreign = region, partition = partitionOf(region) } = readStream(stream)
  if (foreign !== region)
    return `got ${stream}, which lies in ${foreign}, but the destination's region is ${region}; set region to '${foreign}'`
  if (partition === partitionOf(region)) return undefined
  return `got ${stream}, an ARN of the partition ${partition}, but ${region} is of ${partitionOf(region)}; begin it with arn:${partitionOf(region)}:`
}

function foreignKey(kmsKey: string | undefined, region: string): string | undefined {
  const key = KEY_ARN.exec(kmsKey ?? '')?.groups
  if (key === undefined || (key['region'] === region && key['partition'] === partitionOf(region)))
    return undefined
  return `got ${kmsKey}, which lies in ${key['region']}, but a stream's key lies beside it, in ${region}; give the key of that region`
}

/** Records are put by a stream's name, which is one of the role's account. */
function streamsElsewhere(mapping: readonly MappingRow[], roleAddress: string | undefined): string[] {
  const own = roleAddress?.split(':')[4]
  return mapping.flatMap(({ stream }) => {
    const { account = own } = readStream(stream)
    if (own === undefined || account === own) return []
    return `got ${stream}, which lies in the account ${account}, but roleAddress in ${own}; give a role of the stream's account`
  })
}

function unmappedAmong(
  aggregation: NonNullable<Values['aggregation']>,
  mapping: readonly MappingRow[],
): string[] {
  const known = new Set(['*', ...mapping.map(({ stream }) => readStream(stream).name)])
  return aggregation.map(([stream]) => stream).filter((stream) => !known.has(stream))
}

/** A stream has one key, in whichever rows it stands. */
function keysThatDiffer(mapping: readonly MappingRow[]): string[] {
  const keys = new Map<string, string>()
  return mapping.flatMap(({ stream, kmsKey }) => {
    const { name } = readStream(stream)
    const known = keys.get(name) ?? kmsKey
    if (kmsKey === undefined || known === undefined) return []
    keys.set(name, known)
    if (known === kmsKey) return []
    return `got two kmsKeys for the stream ${name}, ${known} and ${kmsKey}; give the one that encrypts it`
  })
}

import type { DeadLetterConfiguration } from '../plugin/settings/dead-letter-settings.js'
import type { SpillConfiguration } from '../plugin/settings/spill-settings.js'
import type { ProxyConfiguration } from './config/configuration.js'

/** The local AWS takes any. SECURITY: so the real ones of this machine are neither looked for nor used. */
const CREDENTIALS = { accessKeyId: 'AKIALOCALAWSEXAMPLE0', secretAccessKey: 'local-aws-takes-any-secret' }

/** A local AWS that a configuration can be pointed at. */
export interface EmbeddedAws {
  readonly endpoint: string
  /** The URL of its queue of this name. */
  readonly queueUrl: (name: string) => string
}

/**
 * The configuration with every destination, and what is in SQS and S3, pointed at a local AWS. Roles and external IDs are
 * as they were.
 */
export function pointedAt<T extends ProxyConfiguration>(configuration: T, aws: EmbeddedAws): T {
  const { endpoint } = aws
  const sources = configuration.sources.map((source) => ({
    ...source,
    destinations: source.destinations.map((destination) => ({
      ...destination,
      endpoint,
      stsEndpoint: endpoint,
      clientConfig: { credentials: CREDENTIALS },
    })),
  }))
  return {
    ...configuration,
    sources,
    spill: localSpill(configuration.spill, aws),
    deadLetters: localLetters(configuration.deadLetters, aws),
  }
}

/** The URLs of the queues that a configuration uses. */
export function queueUrlsOf({
  spill,
  deadLetters,
}: Pick<ProxyConfiguration, 'spill' | 'deadLetters'>): string[] {
  return [
    ...(spill !== undefined && 'queueUrl' in spill ? [spill.queueUrl] : []),
    ...(deadLetters?.kind === 'queue' ? [deadLetters.queueUrl] : []),
  ]
}

/**
 * Puts the local AWS's credentials in place of the ambient ones, with which queues and buckets are used.
 *
 * SECURITY: as for the destinations, the real ones are then not looked for.
 */
export function useLocalCredentials(env: NodeJS.ProcessEnv): void {
  // A profile would win over the keys, and a session token belongs to other keys.
  delete env['AWS_PROFILE']
  delete env['AWS_SESSION_TOKEN']
  env['AWS_ACCESS_KEY_ID'] = CREDENTIALS.accessKeyId
  env['AWS_SECRET_ACCESS_KEY'] = CREDENTIALS.secretAccessKey
}

function localSpill(spill: SpillConfiguration | undefined, aws: EmbeddedAws): SpillConfiguration | undefined {
  if (spill === undefined || !('queueUrl' in spill)) return spill
  return { ...spill, queueUrl: aws.queueUrl(queueName(spill.queueUrl)) }
}

function localLetters(
  letters: DeadLetterConfiguration | undefined,
  aws: EmbeddedAws,
): DeadLetterConfiguration | undefined {
  if (letters?.kind === 'queue') return { ...letters, queueUrl: aws.queueUrl(queueName(letters.queueUrl)) }
  return letters?.kind === 'bucket' ? { ...letters, endpoint: aws.endpoint } : letters
}

function queueName(queueUrl: string): string {
  return queueUrl.slice(queueUrl.lastIndexOf('/') + 1)
}

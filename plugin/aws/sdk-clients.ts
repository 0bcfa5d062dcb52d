import type { FirehoseClient } from '@aws-sdk/client-firehose'
import type { STSClient } from '@aws-sdk/client-sts'
import type { Clock } from '../clock.js'
import { regionOfUrl } from '../settings/regions.js'
import type { AssumeRoleSettings, AwsClientConfig } from '../settings/settings.js'
import type { AmbientCredentials } from './ambient-credentials.js'
import { CredentialCache } from './credential-cache.js'
import type { PutCalls } from './put-calls.js'

/** What makes two destinations share a client. */
export interface ClientIdentity {
  readonly region: string
  readonly roleAddress: string | undefined
  readonly externalId: string | undefined
  readonly endpoint: string | undefined
  readonly stsEndpoint: string | undefined
  readonly clientConfig: AwsClientConfig
  readonly assumeRole?: AssumeRoleSettings | undefined
  readonly httpsProxy?: string | false | undefined
}

/** The clients of one identity. */
export interface SdkClients {
  readonly firehose: FirehoseClient
  /** The calls that are made with it. */
  readonly puts: PutCalls
  /** What assumes the role, where there is one. */
  readonly assumed?: { readonly sts: STSClient; readonly role: CredentialCache }
  /** The credentials of this process, where calls are signed with them. */
  readonly ambient: AmbientCredentials | undefined
  /** Of Firehose's client, for after a time-out or a reset. */
  dropIdleConnections(): void
  /** Closes connections, and ends what is under way. */
  destroy(): void
}

/** A PutRecordBatch answer has some 250 bytes for each of 500 records. */
const MAX_FIREHOSE_ANSWER_BYTES = 8 * 1024 * 1024
const MAX_STS_ANSWER_BYTES = 1024 * 1024

/**
 * Makes the clients of an identity; of the SDK it loads what they need.
 *
 * @param onAssumeRole - called before each call of AssumeRole
 * @throws what the SDK says of settings it makes no client of
 */
export async function makeClients(
  identity: ClientIdentity,
  clock: Clock,
  onAssumeRole: () => void,
): Promise<SdkClients> {
  const { FirehoseClient } = await import('@aws-sdk/client-firehose')
  const { PutCalls } = await import('./put-calls.js')
  const { serviceClient } = await import('./service-client.js')
  const { rememberAnswers } = await import('./answer.js')
  const { roleAddress, endpoint } = identity
  const assumed =
    roleAddress === undefined ? undefined : await assuming(roleAddress, identity, clock, onAssumeRole)
  const parts = serviceClient({
    ...identity,
    clock,
    maxAnswerBytes: MAX_FIREHOSE_ANSWER_BYTES,
    credentials: assumed && (() => assumed.role.credentials()),
  })
  const firehose = new FirehoseClient({ ...parts.config, ...(endpoint && { endpoint }) })
  rememberAnswers(firehose.middlewareStack)
  return {
    firehose,
    puts: new PutCalls(firehose, MAX_FIREHOSE_ANSWER_BYTES),
    ...(assumed && { assumed }),
    ambient: parts.ambient,
    dropIdleConnections: parts.dropIdleConnections,
    destroy() {
      parts.destroy(firehose)
      assumed?.destroy()
    },
  }
}

async function assuming(
  roleAddress: string,
  identity: ClientIdentity,
  clock: Clock,
  onAssumeRole: () => void,
) {
  const { STSClient } = await import('@aws-sdk/client-sts')
  const { assumeRole } = await import('./assume-role.js')
  const { serviceClient } = await import('./service-client.js')
  const { rememberAnswers } = await import('./answer.js')
  const { externalId, stsEndpoint, assumeRole: session } = identity
  // An endpoint takes what is signed for its own region alone, which need not be that of the streams.
  const region = (stsEndpoint && regionOfUrl(stsEndpoint)) ?? identity.region
  const parts = serviceClient({ ...identity, region, clock, maxAnswerBytes: MAX_STS_ANSWER_BYTES })
  const sts = new STSClient({ ...parts.config, ...(stsEndpoint && { endpoint: stsEndpoint }) })
  rememberAnswers(sts.middlewareStack)
  const role = new CredentialCache(() => {
    onAssumeRole()
    return assumeRole(sts, roleAddress, externalId, { ...parts, clock, region, session })
  }, clock)
  return { sts, role, destroy: () => parts.destroy(sts) }
}

import type { FirehoseClient } from '@aws-sdk/client-firehose'
import type { STSClient } from '@aws-sdk/client-sts'
import type { Clock } from '../clock.js'
import type { AwsClientConfig } from '../settings/settings.js'
import { AssumedRole } from './assumed-role.js'
import type { PutCalls } from './put-calls.js'

/** What makes two destinations share a client. */
export interface ClientIdentity {
  readonly region: string
  readonly roleAddress: string | undefined
  readonly externalId: string | undefined
  readonly endpoint: string | undefined
  readonly stsEndpoint: string | undefined
  readonly clientConfig: AwsClientConfig
}

/** The clients of one identity. */
export interface SdkClients {
  readonly firehose: FirehoseClient
  /** The calls that are made with it. */
  readonly puts: PutCalls
  /** What assumes the role, where there is one. */
  readonly assumed?: { readonly sts: STSClient; readonly role: AssumedRole }
}

/** So many that the streams of a destination, each with its own limit on calls, never wait for each other's sockets. */
const MAX_SOCKETS = 4_096
const CONNECTION_TIMEOUT_MS = 3_000

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
  const { roleAddress, endpoint } = identity
  const assumed =
    roleAddress === undefined ? undefined : await assuming(roleAddress, identity, clock, onAssumeRole)
  const firehose = new FirehoseClient({
    ...baseOf(identity),
    ...(endpoint && { endpoint }),
    // Marked as memoized, or the SDK keeps its own copy: it fails calls when a refresh five minutes before the end
    // fails, though the credentials are still good, and it does not let go of ones that were refused.
    ...(assumed && {
      credentials: Object.assign(() => assumed.role.credentials(), { memoized: true }),
    }),
  })
  return { firehose, puts: new PutCalls(firehose), ...(assumed && { assumed }) }
}

async function assuming(
  roleAddress: string,
  identity: ClientIdentity,
  clock: Clock,
  onAssumeRole: () => void,
): Promise<NonNullable<SdkClients['assumed']>> {
  const { STSClient } = await import('@aws-sdk/client-sts')
  const { assumeRole } = await import('./assume-role.js')
  const { externalId, stsEndpoint } = identity
  const sts = new STSClient({ ...baseOf(identity), ...(stsEndpoint && { endpoint: stsEndpoint }) })
  const role = new AssumedRole(() => {
    onAssumeRole()
    return assumeRole(sts, roleAddress, externalId)
  }, clock)
  return { sts, role }
}

function baseOf({ region, clientConfig }: ClientIdentity) {
  return {
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    },
    ...clientConfig,
    region,
    // Retrying is the delivery's, so that one place knows what was sent how often.
    maxAttempts: 1,
  }
}

import { FirehoseClient } from '@aws-sdk/client-firehose'
import { STSClient } from '@aws-sdk/client-sts'
import type { Clock } from '../clock.js'
import type { AwsClientConfig } from '../settings/settings.js'
import { assumeRole } from './assume-role.js'
import { AssumedRole } from './assumed-role.js'
import { speedUpPuts } from './put-wire.js'

/** What makes two destinations share a client. */
export interface ClientIdentity {
  readonly region: string
  readonly roleAddress: string | undefined
  readonly externalId: string | undefined
  readonly endpoint: string | undefined
  readonly stsEndpoint: string | undefined
  readonly clientConfig: AwsClientConfig
}

/** So many that the streams of a destination, each with its own limit on calls, never wait for each other's sockets. */
const MAX_SOCKETS = 4_096
const CONNECTION_TIMEOUT_MS = 3_000

/**
 * A Firehose client with the credentials of its role, or the ambient ones where there is no role.
 *
 * It may be retired while calls are under way: it is destroyed when the last one has ended.
 */
export class PooledClient {
  readonly firehose: FirehoseClient
  readonly #sts: STSClient | undefined
  readonly #role: AssumedRole | undefined
  readonly #ownsSockets: boolean
  #calls = 0
  #retired = false

  constructor(identity: ClientIdentity, clock: Clock, onAssumeRole: () => void) {
    const { region, roleAddress, externalId, endpoint, stsEndpoint, clientConfig } = identity
    this.#ownsSockets = clientConfig.requestHandler === undefined
    const base = {
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
    const firehoseBase = {
      ...base,
      ...(endpoint && { endpoint }),
      // The middleware is put together once, not for each call.
      cacheMiddleware: true,
    }
    if (roleAddress === undefined) {
      this.firehose = new FirehoseClient(firehoseBase)
      speedUpPuts(this.firehose)
      return
    }
    const sts = new STSClient({ ...base, ...(stsEndpoint && { endpoint: stsEndpoint }) })
    const role = new AssumedRole(() => {
      onAssumeRole()
      return assumeRole(sts, roleAddress, externalId)
    }, clock)
    // Marked as memoized, or the SDK keeps its own copy: it fails calls when a refresh five minutes before the end
    // fails, though the credentials are still good, and it does not let go of ones that were refused.
    const credentials = Object.assign(() => role.credentials(), { memoized: true })
    this.#sts = sts
    this.#role = role
    this.firehose = new FirehoseClient({ ...firehoseBase, credentials })
    speedUpPuts(this.firehose)
  }

  /** Which credentials a call that begins now is signed with; for {@link renewCredentials}. */
  get credentialsGeneration(): number {
    return this.#role?.generation ?? 0
  }

  /** AWS refused the credentials of `generation`: the next call fetches others. */
  async renewCredentials(generation: number): Promise<void> {
    if (this.#role !== undefined) this.#role.renew(generation)
    else await this.firehose.config.credentials({ forceRefresh: true })
  }

  /** Runs `call`, and keeps the client alive as long. */
  async use<T>(call: (client: PooledClient) => Promise<T>): Promise<T> {
    this.#calls++
    try {
      return await call(this)
    } finally {
      this.#calls--
      this.#destroyIfDone()
    }
  }

  retire(): void {
    this.#retired = true
    this.#destroyIfDone()
  }

  #destroyIfDone(): void {
    // A request handler that was handed in may serve others: whoever made it closes it.
    if (!this.#retired || this.#calls > 0 || !this.#ownsSockets) return
    this.firehose.destroy()
    this.#sts?.destroy()
  }
}

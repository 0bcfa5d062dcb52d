import type { FirehoseClient } from '@aws-sdk/client-firehose'
import type { Clock } from '../clock.js'
import type { PutCalls } from './put-calls.js'
import { type ClientIdentity, makeClients, type SdkClients } from './sdk-clients.js'

/**
 * A Firehose client with the credentials of its role, or the ambient ones where there is no role. It is made at its
 * first use, which loads the SDK.
 *
 * It may be retired while calls are under way: it is destroyed when the last one has ended.
 */
export class PooledClient {
  readonly #make: () => Promise<SdkClients>
  readonly #ownsSockets: boolean
  #making: Promise<void> | undefined
  #made: SdkClients | undefined
  #calls = 0
  #retired = false

  constructor(identity: ClientIdentity, clock: Clock, onAssumeRole: () => void) {
    this.#ownsSockets = identity.clientConfig.requestHandler === undefined
    this.#make = () => makeClients(identity, clock, onAssumeRole)
  }

  /** For calls that {@link use} runs: before the first of them there is none. */
  get firehose(): FirehoseClient {
    return this.#madeClients.firehose
  }

  /** For calls that {@link use} runs, as {@link firehose}. */
  get puts(): PutCalls {
    return this.#madeClients.puts
  }

  /** Which credentials a call that begins now is signed with; for {@link renewCredentials}. */
  get credentialsGeneration(): number {
    return this.#made?.assumed?.role.generation ?? 0
  }

  /** AWS refused the credentials of `generation`: the next call fetches others. */
  async renewCredentials(generation: number): Promise<void> {
    const role = this.#made?.assumed?.role
    if (role !== undefined) role.renew(generation)
    else await this.firehose.config.credentials({ forceRefresh: true })
  }

  /**
   * Runs `call`, and keeps the client alive as long.
   *
   * @throws what the SDK says of settings it makes no client of
   */
  async use<T>(call: (client: PooledClient) => Promise<T>): Promise<T> {
    this.#calls++
    try {
      if (this.#made === undefined) await this.#load()
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

  get #madeClients(): SdkClients {
    if (this.#made === undefined) throw new Error('The client is not made yet; ask for it inside use()')
    return this.#made
  }

  #load(): Promise<void> {
    this.#making ??= this.#make().then(
      (made) => {
        this.#made = made
      },
      (error) => {
        this.#making = undefined
        throw error
      },
    )
    return this.#making
  }

  #destroyIfDone(): void {
    // A request handler that was handed in may serve others: whoever made it closes it.
    if (!this.#retired || this.#calls > 0 || !this.#ownsSockets) return
    this.#made?.firehose.destroy()
    this.#made?.assumed?.sts.destroy()
  }
}

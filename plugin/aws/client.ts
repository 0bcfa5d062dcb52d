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
  #making: Promise<void> | undefined
  #made: SdkClients | undefined
  #calls = 0
  #retired = false

  constructor(identity: ClientIdentity, clock: Clock, onAssumeRole: () => void) {
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
    return this.#credentials?.generation ?? 0
  }

  /** Whether a call that begins now has to wait for credentials first. */
  get isWaitingForCredentials(): boolean {
    return this.#credentials?.isWaitedFor ?? false
  }

  /** AWS refused the credentials of `generation`: the next call fetches others. */
  async renewCredentials(generation: number): Promise<void> {
    const { assumed, ambient } = this.#madeClients
    if (assumed !== undefined) assumed.role.renew(generation)
    else ambient?.renew(generation)
  }

  /** For after a time-out or a reset: the connections that wait for a call may be dead as well. */
  dropIdleConnections(): void {
    this.#made?.dropIdleConnections()
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

  get #credentials() {
    return this.#made?.assumed?.role ?? this.#made?.ambient?.cache
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
    if (this.#retired && this.#calls === 0) this.#made?.destroy()
  }
}

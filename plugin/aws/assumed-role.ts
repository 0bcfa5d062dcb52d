import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'
import { classify } from './error-classes.js'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

/** Credentials, and how long they are good from now on, in ms. */
export interface AssumedCredentials {
  readonly identity: AwsCredentials
  readonly lifetimeMs: number
}

const REFRESH_AHEAD_MS = 5 * 60_000
/** Below this a lifetime says more of the clocks than of the credentials; AWS gives 15 minutes at least. */
const SHORTEST_LIFETIME_MS = 60_000
/** Between tries of a role that was refused: someone has to change a policy first. */
const REFUSED_PAUSE_MS = { first: 500, longest: 60_000 }
/** Between tries after a failure that passes. */
const FAILED_PAUSE_MS = { first: 100, longest: 5_000 }

interface Held {
  readonly identity: AwsCredentials
  /** Wall time at which they end. */
  readonly expiresAt: number
  /** Wall time from which fresh ones are fetched in the background. */
  readonly refreshAt: number
}

interface Failure {
  readonly error: unknown
  readonly attempts: number
  /** Time on the clock before which the role is not asked for again. */
  readonly askAgainAt: number
}

/**
 * The credentials of one assumed role.
 *
 * One call to `assume` runs at a time, whoever asks. Within five minutes of their end the held credentials are
 * still given out while fresh ones are fetched; if that fails they serve until they end. After a failure `assume`
 * is left alone for a while that grows, and what it threw is thrown again.
 */
export class AssumedRole {
  readonly #assume: () => Promise<AssumedCredentials>
  readonly #clock: Clock
  #held: Held | undefined
  #pending: Promise<Held> | undefined
  #failure: Failure | undefined
  #generation = 0

  constructor(assume: () => Promise<AssumedCredentials>, clock: Clock) {
    this.#assume = assume
    this.#clock = clock
  }

  /** Grows with each set of credentials; tells {@link renew} which ones failed. */
  get generation(): number {
    return this.#generation
  }

  /** @throws what `assume` threw, where there are no credentials that are still good */
  async credentials(): Promise<AwsCredentials> {
    const now = this.#clock.wallTime()
    if (this.#held === undefined || this.#held.expiresAt <= now) return (await this.#refresh()).identity
    if (this.#held.refreshAt <= now) this.#refresh().catch(ignore)
    return this.#held.identity
  }

  /** AWS refused the credentials of `generation`: they are dropped, unless newer ones are here already. */
  renew(generation: number): void {
    if (generation === this.#generation) this.#held = undefined
  }

  #refresh(): Promise<Held> {
    if (this.#pending !== undefined) return this.#pending
    if (this.#failure !== undefined && this.#clock.now() < this.#failure.askAgainAt) {
      return Promise.reject(this.#failure.error)
    }
    this.#pending = this.#fetch().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #fetch(): Promise<Held> {
    try {
      const fresh = await this.#assume()
      const now = this.#clock.wallTime()
      const lifetime = Math.max(SHORTEST_LIFETIME_MS, fresh.lifetimeMs)
      const expiresAt = now + lifetime
      const refreshAt = expiresAt - Math.min(REFRESH_AHEAD_MS, lifetime / 4)
      this.#held = { identity: fresh.identity, expiresAt, refreshAt }
      this.#generation++
      this.#failure = undefined
      return this.#held
    } catch (error) {
      const attempts = this.#failure?.attempts ?? 0
      const { first, longest } = classify(error).class === 'retry' ? FAILED_PAUSE_MS : REFUSED_PAUSE_MS
      const pause = first / 2 + backoffMs(attempts, this.#clock, first, longest)
      this.#failure = { error, attempts: attempts + 1, askAgainAt: this.#clock.now() + pause }
      throw error
    }
  }
}

/** A refresh that fails in the background is told by the next caller that has no credentials left. */
function ignore(): void {}

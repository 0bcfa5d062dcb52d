import { backoffMs } from '../backoff.js'
import type { Clock } from '../clock.js'
import { classify } from './error-classes.js'

/** Credentials as the AWS SDK takes them. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** Credentials, and how long they are good from now on. */
export interface FetchedCredentials {
  readonly identity: AwsCredentials
  /** In ms; `undefined` for credentials that never expire. */
  readonly lifetimeMs: number | undefined
}

const REFRESH_AHEAD_MS = 5 * 60_000
/** Below this a lifetime says more of the clocks than of the credentials; AWS gives 15 minutes at least. */
const SHORTEST_LIFETIME_MS = 60_000
/** Between tries after a refusal: someone has to change a policy first. */
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
  /** Time on the clock before which `fetch` is not called again. */
  readonly askAgainAt: number
}

/**
 * Credentials that expire: those of an assumed role, or those of this process.
 *
 * One call to `fetch` runs at a time, whoever asks. Within five minutes of their end the held credentials are
 * still given out while fresh ones are fetched; if that fails they serve until they end. After a failure `fetch`
 * is left alone for a while that grows, and what it threw is thrown again.
 *
 * `fetch` has to end in time: a cache whose fetch hangs gives no credentials any more.
 */
export class CredentialCache {
  readonly #fetchFresh: () => Promise<FetchedCredentials>
  readonly #clock: Clock
  #held: Held | undefined
  #pending: Promise<Held> | undefined
  #failure: Failure | undefined
  #generation = 0

  constructor(fetch: () => Promise<FetchedCredentials>, clock: Clock) {
    this.#fetchFresh = fetch
    this.#clock = clock
  }

  /** Grows with each set of credentials; {@link renew} takes the one whose credentials failed. */
  get generation(): number {
    return this.#generation
  }

  /** Whether whoever asks now waits for a fetch that is under way. */
  get isWaitedFor(): boolean {
    return this.#pending !== undefined && !this.#isHeld
  }

  /** @throws what `fetch` threw, where there are no credentials that are still good */
  async credentials(): Promise<AwsCredentials> {
    if (this.#held === undefined || !this.#isHeld) return (await this.#refresh()).identity
    if (this.#held.refreshAt <= this.#clock.wallTime()) this.#refresh().catch(ignore)
    return this.#held.identity
  }

  /** AWS refused the credentials of `generation`: they are dropped, unless newer ones are here already. */
  renew(generation: number): void {
    if (generation === this.#generation) this.#held = undefined
  }

  /** Takes credentials that came after the fetch that they are from had been given up. */
  accept({ identity, lifetimeMs }: FetchedCredentials): void {
    this.#hold(identity, lifetimeMs)
  }

  get #isHeld(): boolean {
    return this.#held !== undefined && this.#held.expiresAt > this.#clock.wallTime()
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
      const { identity, lifetimeMs } = await this.#fetchFresh()
      return this.#hold(identity, lifetimeMs)
    } catch (error) {
      const attempts = this.#failure?.attempts ?? 0
      const { first, longest } = classify(error).class === 'retry' ? FAILED_PAUSE_MS : REFUSED_PAUSE_MS
      const pause = first / 2 + backoffMs(attempts, this.#clock, first, longest)
      this.#failure = { error, attempts: attempts + 1, askAgainAt: this.#clock.now() + pause }
      throw error
    }
  }

  #hold(identity: AwsCredentials, lifetimeMs = Number.POSITIVE_INFINITY): Held {
    const lifetime = Math.max(SHORTEST_LIFETIME_MS, lifetimeMs)
    const expiresAt = this.#clock.wallTime() + lifetime
    const refreshAt = expiresAt - Math.min(REFRESH_AHEAD_MS, lifetime / 4)
    this.#held = { identity, expiresAt, refreshAt }
    this.#generation++
    this.#failure = undefined
    return this.#held
  }
}

/** Whoever next finds no credentials left gets the error of a refresh that failed in the background. */
function ignore(): void {}

import type { Clock } from '../clock.js'
import { keyProblems } from '../settings/aws-keys.js'
import { withTimeout } from '../timeout.js'
import { type Abandonable, abandonable } from './abandonable.js'
import { type AwsCredentials, CredentialCache, type FetchedCredentials } from './credential-cache.js'

/** Credentials as the SDK's providers give them. */
interface Identity extends AwsCredentials {
  readonly expiration?: Date | undefined
}

/** Gets credentials once. */
export type CredentialProvider = (options: { readonly forceRefresh: boolean }) => Promise<Identity>

export interface AmbientCredentialsOptions {
  /** Makes a provider that remembers nothing of the ones before it. */
  readonly makeProvider: () => CredentialProvider | Promise<CredentialProvider>
  readonly clock: Clock
  /** Where they come from, for messages. */
  readonly source: string
}

/** How long whoever waits for credentials waits for one fetch. */
const FETCH_TIMEOUT_MS = 5_000

/** A fetch that is slower than that may still succeed: a `credential_process` may take long on a busy machine. */
const LONGEST_FETCH_MS = 60_000

/** Fetches that are under way at once at most: the oldest is abandoned for the next. */
const MAX_UNDER_WAY = 3

/**
 * The credentials of this process: from the environment, a profile, a container or a machine.
 *
 * The SDK keeps the promise of a fetch that is under way, so that one that hangs is shared by all later calls. Here
 * each fetch has a provider of its own, and is waited for {@link FETCH_TIMEOUT_MS}. Then another is made; what the first
 * gives after all is used as well.
 */
export class AmbientCredentials {
  readonly cache: CredentialCache
  readonly #options: AmbientCredentialsOptions
  readonly #underWay = new Set<Abandonable<Identity>>()
  #onArrival: ((fetched: FetchedCredentials) => void) | undefined
  /** Whether the last fetch was too slow or its credentials were refused: then none that were kept are wanted. */
  #forceRefresh = false

  constructor(options: AmbientCredentialsOptions) {
    this.#options = options
    this.cache = new CredentialCache(() => this.#fetch(), options.clock)
  }

  /** AWS refused the credentials of `generation`: the next call fetches others. */
  renew(generation: number): void {
    if (generation === this.cache.generation) this.#forceRefresh = true
    this.cache.renew(generation)
  }

  /** Abandons what is under way. */
  close(): void {
    for (const attempt of this.#underWay) attempt.abandon()
  }

  async #fetch(): Promise<FetchedCredentials> {
    const { clock, source } = this.#options
    const fetched = withTimeout(
      clock,
      FETCH_TIMEOUT_MS,
      () => this.#attempt(),
      () => `No AWS credentials came from ${source} within ${FETCH_TIMEOUT_MS} ms`,
    )
    try {
      const { identity, lifetimeMs } = await fetched
      this.#forceRefresh = false
      return { identity, lifetimeMs }
    } catch (error) {
      this.#forceRefresh = true
      throw error
    } finally {
      this.#onArrival = undefined
    }
  }

  /** Resolves with the first that come, of this fetch or of one before it that was too slow. */
  #attempt(): Promise<FetchedCredentials> {
    return new Promise((resolve, reject) => {
      this.#onArrival = resolve
      this.#start().catch(reject)
    })
  }

  async #start(): Promise<void> {
    for (const oldest of [...this.#underWay].slice(0, -MAX_UNDER_WAY + 1)) oldest.abandon()
    const forceRefresh = this.#forceRefresh
    const attempt = abandonable(async () => (await this.#options.makeProvider())({ forceRefresh }))
    this.#underWay.add(attempt)
    const cancel = this.#options.clock.after(LONGEST_FETCH_MS, () => attempt.abandon())
    try {
      this.#arrived(await attempt.result)
    } finally {
      cancel()
      this.#underWay.delete(attempt)
    }
  }

  #arrived(identity: Identity): void {
    checkKeys(identity, this.#options.source)
    const { expiration } = identity
    const lifetimeMs = expiration && expiration.getTime() - this.#options.clock.wallTime()
    const fetched = { identity, lifetimeMs }
    if (this.#onArrival !== undefined) this.#onArrival(fetched)
    else this.cache.accept(fetched)
    for (const slower of this.#underWay) slower.abandon()
  }
}

/** @throws Error that the SDK's own for credentials that cannot be had is like */
function checkKeys(identity: Identity, source: string): void {
  const [problem] = keyProblems(identity)
  if (problem === undefined) return
  const error = new Error(`The AWS credentials from ${source} cannot be used: ${problem}`)
  throw Object.assign(error, { name: 'CredentialsProviderError' })
}

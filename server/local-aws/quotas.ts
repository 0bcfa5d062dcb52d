/** What one stream may take, as AWS's "Direct PUT" quotas. What is left out is not limited. */
export interface LocalAwsQuotas {
  /** Records. @default no limit */
  readonly recordsPerSecond?: number
  /** Calls. @default no limit */
  readonly requestsPerSecond?: number
  /** Bytes, before base64. @default no limit */
  readonly bytesPerSecond?: number
}

/** Each bucket holds one second's worth, and refills evenly. */
class TokenBucket {
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(perSecond: number, at: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#at = at
  }

  has(count: number, at: number): boolean {
    const elapsedMs = Math.max(0, at - this.#at)
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true
    this.#tokens = Math.min(this.#perSecond, this.#tokens + (elapsedMs / 1000) * this.#perSecond)
    this.#at = at
    return this.#tokens >= count
  }

  take(count: number): void {
    this.#tokens -= count
  }
}

/** The quotas of one stream. PutRecord and PutRecordBatch draw on the same ones. */
export class StreamQuota {
  readonly #requests: TokenBucket
  readonly #records: TokenBucket
  readonly #bytes: TokenBucket

  constructor(quotas: LocalAwsQuotas, at: number) {
    this.#requests = new TokenBucket(quotas.requestsPerSecond ?? Number.POSITIVE_INFINITY, at)
    this.#records = new TokenBucket(quotas.recordsPerSecond ?? Number.POSITIVE_INFINITY, at)
    this.#bytes = new TokenBucket(quotas.bytesPerSecond ?? Number.POSITIVE_INFINITY, at)
  }

  /** Whether the call may be made at all. */
  takeRequest(at: number): boolean {
    if (!this.#requests.has(1, at)) return false
    this.#requests.take(1)
    return true
  }

  /** Whether one more record fits; one that does not takes nothing. */
  takeRecord(bytes: number, at: number): boolean {
    if (!this.#records.has(1, at) || !this.#bytes.has(bytes, at)) return false
    this.#records.take(1)
    this.#bytes.take(bytes)
    return true
  }
}

/** A token bucket: `rate` calls a second, and a tenth of that at once. */
export class Pacer {
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #countedAt = 0

  constructor(rate: number) {
    this.#rate = rate
    this.#burst = Math.max(1, rate / 10)
    this.#tokens = this.#burst
  }

  /** How long until a call may go out, in ms; 0 is now. */
  waitMs(now: number): number {
    this.#refill(now)
    return this.#tokens >= 1 ? 0 : ((1 - this.#tokens) * 1000) / this.#rate
  }

  take(now: number): void {
    this.#refill(now)
    this.#tokens--
  }

  #refill(now: number): void {
    this.#tokens = Math.min(
      this.#burst,
      this.#tokens + (Math.max(0, now - this.#countedAt) * this.#rate) / 1000,
    )
    this.#countedAt = now
  }
}

import type { Spill, SpillClaim, SpillStats, SpillTarget } from './spill.js'

/**
 * A spill of which only so many claims are held at a time, whoever asks: a claim is read into memory, and after an
 * outage each of a thousand streams has something to claim.
 */
export class BoundedClaims implements Spill {
  readonly #spill: Spill
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(spill: Spill, max: number) {
    this.#spill = spill
    this.#free = max
  }

  append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    return this.#spill.append(target, records)
  }

  async claim(target: SpillTarget, signal?: AbortSignal): Promise<SpillClaim | undefined> {
    if (!(await this.#take(signal))) return undefined
    let claim: SpillClaim | undefined
    try {
      claim = await this.#spill.claim(target)
    } finally {
      if (claim === undefined) this.#giveBack()
    }
    return claim && this.#counted(claim)
  }

  targets(): readonly SpillTarget[] {
    return this.#spill.targets()
  }

  stats(): SpillStats {
    return this.#spill.stats()
  }

  opened(): Promise<void> {
    return this.#spill.opened()
  }

  canTake(): boolean {
    return this.#spill.canTake()
  }

  close(): Promise<void> {
    return this.#spill.close()
  }

  /** The claim, whose end lets the next one in. */
  #counted(claim: SpillClaim): SpillClaim {
    let isHeld = true
    const end = (work: Promise<void>) =>
      work.finally(() => {
        if (isHeld) this.#giveBack()
        isHeld = false
      })
    return {
      target: claim.target,
      records: claim.records,
      done: () => end(claim.done()),
      release: (left) => end(claim.release(left)),
    }
  }

  /** Whether it is this one's turn; else it waits no more. */
  async #take(signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return false
    if (this.#free > 0) {
      this.#free--
      return true
    }
    return new Promise((resolve) => {
      const leave = () => {
        this.#waiting.delete(enter)
        resolve(false)
      }
      const enter = () => {
        this.#waiting.delete(enter)
        signal?.removeEventListener('abort', leave)
        resolve(true)
      }
      this.#waiting.add(enter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #giveBack(): void {
    const [next] = this.#waiting
    if (next === undefined) this.#free++
    else next()
  }
}

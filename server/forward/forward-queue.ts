import Denque from 'denque'
import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import type { ForwardedRequest } from './forwarded-request.js'

/** What an entry takes besides its texts and its body, so that tiny ones are bounded too. */
const ENTRY_OVERHEAD_BYTES = 1024

/** A request that is not settled yet. */
export interface ForwardEntry {
  readonly request: ForwardedRequest
  /** By `Clock.now()`. */
  readonly enqueuedAt: number
  /** What it takes of memory. */
  readonly bytes: number
  /** Of its coming. */
  readonly sequence: number
  /** How many others had been forwarded when it was first tried, or when it last failed. */
  othersForwarded: number | undefined
}

/** Requests in order, and the bytes of all that are not released: those that were taken out too. */
export class ForwardQueue {
  readonly #entries = new Denque<ForwardEntry>()
  readonly #maxBytes: number
  readonly #budget: ByteBudget
  #bytes = 0
  #sequence = 0

  /** @param budget - shared with others */
  constructor(maxBytes: number, budget: ByteBudget) {
    this.#maxBytes = maxBytes
    this.#budget = budget
  }

  get length(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes a request in, or says `false` where there is no room for it. */
  add(request: ForwardedRequest, now: number): boolean {
    const bytes = bytesOf(request)
    if (this.#bytes + bytes > this.#maxBytes || !this.#budget.take(bytes)) return false
    this.#bytes += bytes
    this.#entries.push({
      request,
      enqueuedAt: now,
      bytes,
      sequence: this.#sequence++,
      othersForwarded: undefined,
    })
    return true
  }

  /** Takes the first out, to be put back or released. */
  shift(): ForwardEntry | undefined {
    return this.#entries.shift()
  }

  /** Takes out the first ones that are such. */
  takeWhile(isSuch: (entry: ForwardEntry) => boolean): ForwardEntry[] {
    const taken: ForwardEntry[] = []
    for (let next = this.#entries.peekFront(); next !== undefined && isSuch(next); ) {
      taken.push(next)
      this.#entries.shift()
      next = this.#entries.peekFront()
    }
    return taken
  }

  /** Puts an entry that was taken out before all that came later. */
  putBack(entry: ForwardEntry): void {
    const earlier = this.takeWhile(({ sequence }) => sequence < entry.sequence)
    this.#entries.unshift(entry)
    for (const it of earlier.reverse()) this.#entries.unshift(it)
  }

  putLast(entry: ForwardEntry): void {
    this.#entries.push(entry)
  }

  /** Gives back the bytes of an entry that was taken out. */
  release({ bytes }: ForwardEntry): void {
    this.#bytes -= bytes
    this.#budget.giveBack(bytes)
  }
}

function bytesOf({ path, headers, body }: ForwardedRequest): number {
  const texts = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return ENTRY_OVERHEAD_BYTES + path.length + texts + body.byteLength
}

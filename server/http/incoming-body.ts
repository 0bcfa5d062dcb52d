import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import type { HttpProblem } from './http-problem.js'
import { Reservation } from './reservation.js'

/** What is known of a body before it has arrived. */
export interface BodyOrigin {
  /** The ID of the source whose write key HTTP Basic holds. `undefined` while the sender is not known. */
  readonly source: string | undefined
  /** The client's network. Called once at most; `undefined` where there is no address, as behind a Unix socket. */
  readonly network: () => string | undefined
  /** Whether all of it has arrived. */
  readonly isWhole: () => boolean
  /** When its headers had arrived, by `now()`, in ms. */
  readonly startedAt: number
}

/**
 * A body that arrives with its headers, and is no larger, keeps nobody waiting: it takes part in no share. Most bodies
 * are of this kind, and should cost no more than they must.
 */
const SMALL_BYTES = 64 * 1024

/** Shares the memory out among the bodies that are arriving. */
export interface BodyAdmission {
  /** Gives the body a part in its shares, with what it holds. */
  join(body: IncomingBody): void
  /** Makes room for so many more bytes of this body, or says `false`. */
  makeRoom(body: IncomingBody, bytes: number): boolean
  /** Counts bytes that the body has taken; fewer than 0 are bytes that it has given back. */
  count(body: IncomingBody, bytes: number): void
  /** Forgets the body, which has arrived or been given up. */
  leave(body: IncomingBody): void
}

/**
 * The memory of a request whose body is arriving. Until {@link settle} the memory can be revoked: because others need
 * it more, or because the body arrives too slowly.
 */
export class IncomingBody extends Reservation {
  readonly origin: BodyOrigin
  readonly #admission: BodyAdmission
  #isComing = true
  #hasJoined = false
  #network: { readonly value: string | undefined } | undefined
  #received = 0
  #problem: HttpProblem | undefined
  #stop: (problem: HttpProblem) => void = () => {}

  constructor(budget: ByteBudget, admission: BodyAdmission, origin: BodyOrigin) {
    super(budget)
    this.#admission = admission
    this.origin = origin
  }

  get network(): string | undefined {
    this.#network ??= { value: this.origin.network() }
    return this.#network.value
  }

  /** Bytes that have arrived so far, and those that they were inflated to. */
  get received(): number {
    return this.#received
  }

  override take(bytes: number): boolean {
    if (!this.#isComing) return this.#problem === undefined && super.take(bytes)
    this.#received += bytes
    if (!this.#hasJoined) {
      if (this.held + bytes <= SMALL_BYTES && this.origin.isWhole()) return super.take(bytes)
      this.#hasJoined = true
      this.#admission.join(this)
    }
    if (!this.#admission.makeRoom(this, bytes) || !super.take(bytes)) return false
    if (this.#problem === undefined) {
      this.#admission.count(this, bytes)
      return true
    }
    // The budget was short and has made bodies that stall give up their memory. This was one of them.
    super.release()
    return false
  }

  override onRevoked(stop: (problem: HttpProblem) => void): void {
    this.#stop = stop
  }

  /** Takes the memory away, and has the request end with the problem. */
  revoke(problem: HttpProblem): void {
    if (!this.#isComing) return
    this.#problem = problem
    this.release()
    this.#stop(problem)
  }

  /**
   * All of the body has come. From now on the memory stays the request's own.
   *
   * @throws HttpProblem with which it was revoked
   */
  settle(): void {
    if (this.#problem !== undefined) throw this.#problem
    this.#leave()
  }

  override giveBack(bytes: number): void {
    // Whoever read a body that was revoked meanwhile may still give back what is no longer held.
    const given = Math.min(bytes, this.held)
    if (this.#isComing && this.#hasJoined) this.#admission.count(this, -given)
    super.giveBack(given)
  }

  override release(): void {
    this.#leave()
    super.release()
  }

  #leave(): void {
    if (!this.#isComing) return
    this.#isComing = false
    if (this.#hasJoined) this.#admission.count(this, -this.held)
    this.#admission.leave(this)
  }
}

import type { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import type { HttpProblem } from './http-problem.js'
import { Reservation } from './reservation.js'

/** Whose body it is, as far as that can be seen before it has come. */
export interface BodyOrigin {
  /** Names the source whose write key HTTP Basic holds. `undefined` for a sender who is not known yet. */
  readonly source: string | undefined
  /** The client's network, asked for once at most. `undefined` where it has no address, as behind a Unix socket. */
  readonly network: () => string | undefined
  /** Whether all of it has arrived. */
  readonly isWhole: () => boolean
  /** When its headers were there, by `now()`, in ms. */
  readonly startedAt: number
}

/** Who shares the memory out among the bodies that are coming. */
export interface BodyAdmission {
  /** Makes room for so many more bytes of this body, or says `false`. */
  makeRoom(body: IncomingBody, bytes: number): boolean
  /** The body has taken so many bytes; fewer than 0 where it has given them back. */
  count(body: IncomingBody, bytes: number): void
  /** The body no longer counts as coming. */
  leave(body: IncomingBody): void
}

/**
 * The memory of a request whose body is coming. Until {@link settle} its sender has proved nothing: the memory may be
 * taken away again, for others or because it comes too slowly.
 */
export class IncomingBody extends Reservation {
  readonly origin: BodyOrigin
  readonly #admission: BodyAdmission
  #isComing = true
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

  /** Bytes that have come so far, what they were inflated to included. */
  get received(): number {
    return this.#received
  }

  override take(bytes: number): boolean {
    if (!this.#isComing) return this.#problem === undefined && super.take(bytes)
    this.#received += bytes
    if (!this.#admission.makeRoom(this, bytes) || !super.take(bytes)) return false
    if (this.#problem === undefined) {
      this.#admission.count(this, bytes)
      return true
    }
    // Memory that is short is taken from bodies that stall: this was one of them.
    super.release()
    return false
  }

  override onRevoked(stop: (problem: HttpProblem) => void): void {
    this.#stop = stop
  }

  /** Takes the memory away: the request is answered with the problem. */
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

  override release(): void {
    this.#leave()
    super.release()
  }

  #leave(): void {
    if (!this.#isComing) return
    this.#isComing = false
    this.#admission.count(this, -this.held)
    this.#admission.leave(this)
  }
}

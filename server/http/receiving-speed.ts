import type { Clock } from '../../plugin/clock.js'
import { HttpProblem } from './http-problem.js'

const TICK_MS = 1_000

/**
 * Bodies are looked at after so many ticks, and then again. Most SDKs give up on a request after 10 s: who pauses for
 * longer has gone away.
 */
const WINDOW_TICKS = 10

/**
 * Of a body that is not whole, so much must come in a window: 500 bytes a second, as Apache's mod_reqtimeout demands by
 * default (Kestrel: 240). A phone on GPRS, the slowest network that is still in use, sends some 2,500.
 */
const WINDOW_BYTES = 5_000

/** What of a body this needs. */
export interface WatchedBody {
  /** Bytes, since its beginning. */
  readonly received: number
  readonly origin: { readonly isWhole: () => boolean }
  revoke(problem: HttpProblem): void
}

interface Window {
  ticks: number
  readonly receivedBefore: number
}

/**
 * Ends requests whose bodies come too slowly. Their average is not asked for: a megabyte that comes at once would be
 * enough to do nothing for half an hour.
 *
 * It counts ticks of its own and not the time: while something else holds the event loop no body can come, and that is
 * not its sender's doing.
 */
export class ReceivingSpeed {
  readonly #clock: Pick<Clock, 'after'>
  /** A window begins with the first tick that its body sees. Most are whole before. */
  readonly #bodies = new Map<WatchedBody, Window | undefined>()
  #isTicking = false

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock
  }

  watch(body: WatchedBody): void {
    this.#bodies.set(body, undefined)
    this.#wait()
  }

  unwatch(body: WatchedBody): void {
    this.#bodies.delete(body)
  }

  #wait(): void {
    if (this.#isTicking || this.#bodies.size === 0) return
    this.#isTicking = true
    this.#clock.after(TICK_MS, () => {
      this.#isTicking = false
      for (const [body, window] of this.#bodies) this.#tick(body, window)
      this.#wait()
    })
  }

  #tick(body: WatchedBody, window: Window | undefined): void {
    if (body.origin.isWhole()) {
      this.#bodies.delete(body)
      return
    }
    const current = window ?? { ticks: 0, receivedBefore: 0 }
    current.ticks++
    if (current.ticks < WINDOW_TICKS) {
      this.#bodies.set(body, current)
    } else if (body.received - current.receivedBefore < WINDOW_BYTES) {
      body.revoke(tooSlow())
    } else {
      this.#bodies.set(body, { ticks: 0, receivedBefore: body.received })
    }
  }
}

function tooSlow(): HttpProblem {
  return new HttpProblem(408, 'request_timeout', 'The body came too slowly')
}

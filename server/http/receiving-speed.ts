import type { Clock } from '../../plugin/clock.js'
import { HttpProblem } from './http-problem.js'

const TICK_MS = 1_000

/** Ticks between two looks at a body. Most SDKs give up on a request after 10 s: a longer pause is the end of it. */
const WINDOW_TICKS = 10

/**
 * Bytes that must arrive in a window, unless they complete the body: 500 a second, as Apache's mod_reqtimeout demands by
 * default (Kestrel demands 240). A phone on GPRS, the slowest network still in use, sends some 2,500.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html
 * @see https://learn.microsoft.com/en-us/dotnet/api/microsoft.aspnetcore.server.kestrel.core.kestrelserverlimits.minrequestbodydatarate
 */
const WINDOW_BYTES = 5_000

/** The part of an incoming body that its speed is measured by. */
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
 * Ends requests whose bodies arrive too slowly. Each window counts by itself: by the average speed, a megabyte that
 * arrives at once would pay for half an hour of silence.
 *
 * A window lasts so many ticks of a timer and not so many seconds. While something else holds the event loop nothing can
 * arrive, and that is not the sender's fault.
 */
export class ReceivingSpeed {
  readonly #clock: Pick<Clock, 'after'>
  /** A body's first window begins with the first tick: most bodies are whole before that. */
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

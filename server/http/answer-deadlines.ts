import type { Clock } from '../../plugin/clock.js'
import { unavailable } from './http-problem.js'

/** How often deadlines are looked at: one timer for all requests, as a timer for each costs a small request dearly. */
const TICK_MS = 250

interface Waiting {
  readonly deadline: number
  readonly giveUp: () => void
}

/** Has requests answered in time, whatever their delivery waits for. */
export class AnswerDeadlines {
  readonly #clock: Pick<Clock, 'now' | 'after'>
  readonly #waiting = new Set<Waiting>()
  #isTicking = false

  constructor(clock: Pick<Clock, 'now' | 'after'>) {
    this.#clock = clock
  }

  /**
   * Waits for a delivery for so long. One that hangs goes on without its request: the sender, who sends the events again,
   * finds them delivered or under way.
   *
   * @param onSettled - called once the delivery has ended, though its request was answered before
   * @throws HttpProblem 503, or why the delivery failed
   */
  inTime(delivery: Promise<void>, ms: number, onSettled: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () =>
        reject(unavailable('not_delivered', 'The events are not durable yet; send them again later'))
      const waiting = { deadline: this.#clock.now() + ms, giveUp }
      const end = () => {
        this.#waiting.delete(waiting)
        onSettled()
      }
      this.#waiting.add(waiting)
      this.#wait()
      delivery.then(
        () => {
          end()
          resolve()
        },
        (error) => {
          end()
          reject(error)
        },
      )
    })
  }

  #wait(): void {
    if (this.#isTicking || this.#waiting.size === 0) return
    this.#isTicking = true
    this.#clock.after(TICK_MS, () => {
      this.#isTicking = false
      const now = this.#clock.now()
      for (const waiting of this.#waiting) {
        if (waiting.deadline > now) continue
        this.#waiting.delete(waiting)
        waiting.giveUp()
      }
      this.#wait()
    })
  }
}

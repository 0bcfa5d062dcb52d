import type { Clock } from '../../plugin/clock.js'
import type { DuplicateStore } from '../intake/duplicate-store.js'
import type { DuplicateQuestion } from './worker-messages.js'

interface Waiting {
  resolve(known: readonly string[]): void
  reject(error: Error): void
}

/**
 * A worker's way to the memory that all workers share. What is asked in one turn of the event loop goes as one message:
 * under load the many small requests of a turn would else pay for one each.
 */
export class SharedDuplicates {
  readonly #ask: (number: number, questions: readonly DuplicateQuestion[]) => void
  readonly #clock: Pick<Clock, 'defer'>
  #next: { readonly question: DuplicateQuestion; readonly waiting: Waiting }[] = []
  /** Of messages under way, by number. */
  readonly #asked = new Map<number, readonly Waiting[]>()
  #lastNumber = 0
  #isLost = false

  constructor(
    ask: (number: number, questions: readonly DuplicateQuestion[]) => void,
    clock: Pick<Clock, 'defer'>,
  ) {
    this.#ask = ask
    this.#clock = clock
  }

  /** The store of the source with this ID. */
  storeOf(source: string): DuplicateStore {
    return {
      known: async (ids) => new Set(await this.#answerTo({ source, remember: false, ids })),
      remember: async (ids) => {
        await this.#answerTo({ source, remember: true, ids })
      },
    }
  }

  /** What was answered to the message of this number. */
  take(number: number, known: readonly (readonly string[])[]): void {
    const asked = this.#asked.get(number) ?? []
    this.#asked.delete(number)
    for (const [i, { resolve }] of asked.entries()) resolve(known[i] ?? [])
  }

  /** There is nobody any more who answers. */
  lose(): void {
    this.#isLost = true
    const waiting = [...[...this.#asked.values()].flat(), ...this.#next.map((it) => it.waiting)]
    this.#asked.clear()
    this.#next = []
    for (const { reject } of waiting) reject(lost())
  }

  #answerTo(question: DuplicateQuestion): Promise<readonly string[]> {
    if (question.ids.length === 0) return Promise.resolve([])
    if (this.#isLost) return Promise.reject(lost())
    return new Promise((resolve, reject) => {
      if (this.#next.length === 0) this.#clock.defer(() => this.#send())
      this.#next.push({ question, waiting: { resolve, reject } })
    })
  }

  #send(): void {
    const next = this.#next
    if (next.length === 0) return
    this.#next = []
    const number = ++this.#lastNumber
    this.#asked.set(
      number,
      next.map(({ waiting }) => waiting),
    )
    this.#ask(
      number,
      next.map(({ question }) => question),
    )
  }
}

function lost(): Error {
  return new Error('the process that remembers them is gone')
}

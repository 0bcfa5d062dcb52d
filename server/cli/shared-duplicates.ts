import type { Clock } from '../../plugin/clock.js'
import type { DuplicateStore } from '../intake/duplicate-store.js'
import type { DuplicateQuestion } from './worker-messages.js'

/** What an answer gets: the requests that wait for it hold memory, and a duplicate is better than that. */
const ANSWER_MS = 1_000

interface Waiting {
  resolve(known: readonly string[]): void
  reject(error: Error): void
}

interface Message {
  readonly waiting: readonly Waiting[]
  /** Ends the wait for its answer. */
  readonly cancel: () => void
}

/**
 * A worker's way to the memory that all workers share. What is asked in one turn of the event loop goes as one message:
 * under load the many small requests of a turn would else pay for one each.
 *
 * Nobody waits for longer than a second. While an answer is overdue nothing more is asked, and all fails at once:
 * messages would pile up on the way to a process that hangs.
 */
export class SharedDuplicates {
  readonly #ask: (number: number, questions: readonly DuplicateQuestion[]) => void
  readonly #clock: Pick<Clock, 'after' | 'defer'>
  #next: { readonly question: DuplicateQuestion; readonly waiting: Waiting }[] = []
  /** Of messages under way, by number. */
  readonly #asked = new Map<number, Message>()
  #lastNumber = 0
  /** Whether there was no answer in time, and none since. */
  #isOverdue = false
  #isLost = false

  constructor(
    ask: (number: number, questions: readonly DuplicateQuestion[]) => void,
    clock: Pick<Clock, 'after' | 'defer'>,
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

  /** What was answered to the message of this number. Late, it tells no more than that there are answers again. */
  take(number: number, known: readonly (readonly string[])[]): void {
    this.#isOverdue = false
    const waiting = this.#end(number)
    for (const [i, { resolve }] of waiting.entries()) resolve(known[i] ?? [])
  }

  /** There is nobody any more who answers. */
  lose(): void {
    this.#isLost = true
    const asked = [...this.#asked.keys()].flatMap((number) => this.#end(number))
    const waiting = [...asked, ...this.#takeNext().map((it) => it.waiting)]
    for (const { reject } of waiting) reject(lost())
  }

  #answerTo(question: DuplicateQuestion): Promise<readonly string[]> {
    if (question.ids.length === 0) return Promise.resolve([])
    if (this.#isLost) return Promise.reject(lost())
    if (this.#isOverdue) return Promise.reject(overdue())
    return new Promise((resolve, reject) => {
      if (this.#next.length === 0) this.#clock.defer(() => this.#send())
      this.#next.push({ question, waiting: { resolve, reject } })
    })
  }

  #send(): void {
    const next = this.#takeNext()
    if (next.length === 0) return
    const number = ++this.#lastNumber
    // Deferred: where this process itself stood still the answer is there, and only not read yet.
    const cancel = this.#clock.after(ANSWER_MS, () => this.#clock.defer(() => this.#giveUp(number)))
    this.#asked.set(number, { waiting: next.map(({ waiting }) => waiting), cancel })
    this.#ask(
      number,
      next.map(({ question }) => question),
    )
  }

  #takeNext() {
    const next = this.#next
    this.#next = []
    return next
  }

  #giveUp(number: number): void {
    if (!this.#asked.has(number)) return
    this.#isOverdue = true
    for (const { reject } of this.#end(number)) reject(overdue())
  }

  /** Those who wait for the answer to the message of this number: none where that is over. */
  #end(number: number): readonly Waiting[] {
    const message = this.#asked.get(number)
    this.#asked.delete(number)
    message?.cancel()
    return message?.waiting ?? []
  }
}

function lost(): Error {
  return new Error('the process that remembers them is gone')
}

function overdue(): Error {
  return new Error(`the process that remembers them has not answered for ${ANSWER_MS} ms`)
}

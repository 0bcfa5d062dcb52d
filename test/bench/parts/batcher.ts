/** Sends some records and rejects where one of them was not taken. */
export type Send<T> = (records: readonly T[]) => Promise<void>

interface Waiting<T> {
  readonly records: readonly T[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const RECORDS = 500
const IN_FLIGHT = 8

/** Gathers records of many requests into calls, as simply as that can be done: the baselines retry and bound nothing. */
export class Batcher<T> {
  readonly #send: Send<T>
  #waiting: Waiting<T>[] = []
  #inFlight = 0
  #isScheduled = false

  constructor(send: Send<T>) {
    this.#send = send
  }

  /** Resolves when all of them were taken. */
  add(records: readonly T[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      while (this.#inFlight < IN_FLIGHT && this.#waiting.length > 0) void this.#sendSome()
    })
  }

  async #sendSome(): Promise<void> {
    const taken = this.#take()
    this.#inFlight++
    try {
      await this.#send(taken.flatMap(({ records }) => records))
      for (const { resolve } of taken) resolve()
    } catch (error) {
      for (const { reject } of taken) reject(error)
    }
    this.#inFlight--
    this.#schedule()
  }

  /** Whole requests, as many as go into a call. */
  #take(): Waiting<T>[] {
    let records = 0
    const fits = this.#waiting.findIndex((waiting) => {
      records += waiting.records.length
      return records > RECORDS
    })
    return this.#waiting.splice(0, fits === -1 ? this.#waiting.length : Math.max(1, fits))
  }
}

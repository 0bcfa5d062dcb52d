import type { Clock } from '../../plugin/clock.js'
import type { SourceConfiguration } from '../config/source-configuration.js'
import { type DuplicateStore, MemoryDuplicateStore } from '../intake/duplicate-store.js'
import type { DuplicateQuestion } from './worker-messages.js'

type DedupeOf = Pick<SourceConfiguration, 'id' | 'dedupe'>

interface Remembered {
  readonly windowMs: number
  readonly maxEntries: number
  readonly store: DuplicateStore
}

/** What the workers remember together of each source: in the primary process, so that it outlives them. */
export class DuplicateMemory {
  readonly #clock: Clock
  #sources: ReadonlyMap<string, Remembered> = new Map()

  constructor(sources: readonly DedupeOf[], clock: Clock) {
    this.#clock = clock
    this.reconfigure(sources)
  }

  /** A source keeps its memory where the settings of that are the same. */
  reconfigure(sources: readonly DedupeOf[]): void {
    this.#sources = new Map(
      sources.flatMap(({ id, dedupe }) => (dedupe === undefined ? [] : [[id, this.#memoryOf(id, dedupe)]])),
    )
  }

  /** For each question the IDs that are known, in order. Of what is asked for no more, none is. */
  async answer(questions: readonly DuplicateQuestion[]): Promise<(readonly string[])[]> {
    const answers: (readonly string[])[] = []
    for (const { source, remember, ids } of questions) {
      const store = this.#sources.get(source)?.store
      const known = remember ? store?.remember(ids) : store?.known(ids)
      answers.push([...((await known) ?? [])])
    }
    return answers
  }

  #memoryOf(id: string, dedupe: NonNullable<DedupeOf['dedupe']>): Remembered {
    const { windowMs, maxEntries } = dedupe
    const before = this.#sources.get(id)
    if (before?.windowMs === windowMs && before.maxEntries === maxEntries) return before
    const store = new MemoryDuplicateStore({ windowMs, maxEntries, clock: this.#clock })
    return { windowMs, maxEntries, store }
  }
}

import type { Clock } from '../../plugin/clock.js'
import type { Tally } from '../replay/tally.js'
import type { Terminal } from './terminal.js'

const REDRAW_MS = 100
const LINE_MS = 5_000
const BAR_WIDTH = 24

/** Shows how far a replay is: as a bar that is redrawn on a terminal, elsewhere as a line every few seconds. */
export class ReplayDisplay {
  readonly #terminal: Pick<Terminal, 'isInteractive' | 'err' | 'rewrite'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #totalBytes: number
  readonly #startedAt: number
  #shownAt: number
  #bar = ''

  constructor(
    terminal: Pick<Terminal, 'isInteractive' | 'err' | 'rewrite'>,
    clock: Pick<Clock, 'now'>,
    totalBytes: number,
  ) {
    this.#terminal = terminal
    this.#clock = clock
    this.#totalBytes = totalBytes
    this.#startedAt = clock.now()
    this.#shownAt = this.#startedAt
  }

  update(tally: Tally, bytesRead: number): void {
    const now = this.#clock.now()
    const { isInteractive } = this.#terminal
    if (now - this.#shownAt < (isInteractive ? REDRAW_MS : LINE_MS)) return
    this.#shownAt = now
    const share = this.#totalBytes === 0 ? 1 : Math.min(1, bytesRead / this.#totalBytes)
    const counts = this.#counts(tally, (now - this.#startedAt) / 1000)
    const percent = `${Math.floor(share * 100)} %`
    if (!isInteractive) return this.#terminal.err(`${percent}: ${counts}`)
    const full = Math.round(share * BAR_WIDTH)
    this.#bar = `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${percent}  ${counts}`
    this.#terminal.rewrite(this.#bar)
  }

  /** Writes a line above the bar. */
  line(text: string): void {
    if (this.#bar !== '') this.#terminal.rewrite('')
    this.#terminal.err(text)
    if (this.#bar !== '') this.#terminal.rewrite(this.#bar)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#bar !== '') this.#terminal.rewrite('')
    this.#bar = ''
  }

  #counts({ read, delivered, failures }: Tally, seconds: number): string {
    const rate = seconds > 0 ? Math.round(read / seconds) : 0
    return `${read} read, ${delivered} delivered, ${failures} failed, ${rate}/s`
  }
}

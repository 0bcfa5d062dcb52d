import type { Clock } from './clock.js'
import type { SegmentEvent } from './event.js'
import type { Logger } from './logger.js'
import { quoted } from './unicode-escape.js'

/** Long, as many map only some of their events, and mean it. */
const INTERVAL_MS = 60 * 60_000

const MAX_NAME_LENGTH = 100

export interface UnmappedNoticeOptions {
  readonly logger: Logger
  readonly clock: Pick<Clock, 'after'>
  /** Whose events they are, asked at each notice. @default not told */
  readonly owner?: (() => string) | undefined
}

/**
 * Tells the log of events that no row matches: they are acknowledged all the same, so that a mistyped name in the
 * mapping would show nowhere. Told at once, and then once an hour with how many there were since.
 */
export class UnmappedNotice {
  readonly #options: UnmappedNoticeOptions
  #untold = 0
  /** The first of the untold, worded. */
  #example = ''
  #cancel: (() => void) | undefined

  constructor(options: UnmappedNoticeOptions) {
    this.#options = options
  }

  note(events: readonly SegmentEvent[]): void {
    const [first] = events
    if (first === undefined) return
    if (this.#untold === 0) this.#example = named(first)
    this.#untold += events.length
    if (this.#cancel === undefined) this.#tell()
  }

  /** Tells what is still untold, now. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#untold > 0) this.#write()
  }

  #tell(): void {
    this.#write()
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => {
      this.#cancel = undefined
      if (this.#untold > 0) this.#tell()
    })
  }

  #write(): void {
    const { logger, owner } = this.#options
    const whose = owner === undefined ? '' : ` of ${owner()}`
    logger.info(`${this.#untold} event(s)${whose} matched no row of mappedStreams, such as ${this.#example}`)
    this.#untold = 0
  }
}

/** SECURITY: nothing of the event but what rows are matched by. */
function named({ type, event }: SegmentEvent): string {
  if (typeof type !== 'string') return 'an event of no type'
  if (typeof event !== 'string' || event.trim() === '') return `an event of type ${shortened(type)}`
  return `the ${type === 'track' ? type : shortened(type)} event ${shortened(event)}`
}

function shortened(text: string): string {
  return quoted(text.length > MAX_NAME_LENGTH ? `${text.slice(0, MAX_NAME_LENGTH)}…` : text)
}

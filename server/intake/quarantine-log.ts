import type { DeadLetterCode } from '../../plugin/dead-letters/dead-letter.js'
import type { Logger } from '../../plugin/logger.js'
import { quoted } from '../../plugin/unicode-escape.js'
import type { Source } from '../source.js'

/** An event given up for good, for one stream or for all. */
export interface Quarantined {
  readonly source: Source | undefined
  readonly messageId: string | undefined
  readonly stream: string | undefined
  readonly code: DeadLetterCode
  readonly reason: string
}

/** Message IDs shown in one line at most: a batch can hold thousands. */
const MAX_SHOWN = 5
const MAX_ID_LENGTH = 64

/** One warning for each cause in a request. SECURITY: nothing of the events but their message IDs. */
export function logQuarantine(logger: Logger, quarantined: readonly Quarantined[]): void {
  const byCause = new Map<string, Quarantined[]>()
  let last: Quarantined[] | undefined
  for (const it of quarantined) {
    // Thousands in a row may have the same.
    if (last !== undefined && isSameCause(last[0] as Quarantined, it)) {
      last.push(it)
      continue
    }
    const cause = JSON.stringify([it.source?.name, it.code, it.stream, it.reason])
    last = byCause.get(cause) ?? []
    last.push(it)
    byCause.set(cause, last)
  }
  for (const group of byCause.values()) {
    const [{ source, code, stream, reason }] = group as [Quarantined]
    const from = source === undefined ? 'of no known source' : `of ${source.name}`
    const to = stream === undefined ? '' : ` for ${stream}`
    logger.warn(`${code}: gave up ${group.length} event(s) ${from}${to}: ${reason} (${messageIds(group)})`)
  }
}

function isSameCause(a: Quarantined, b: Quarantined): boolean {
  return a.reason === b.reason && a.source === b.source && a.code === b.code && a.stream === b.stream
}

function messageIds(group: readonly Quarantined[]): string {
  const shown = group
    .slice(0, MAX_SHOWN)
    .map(({ messageId }) => (messageId === undefined ? 'none' : quoted(messageId.slice(0, MAX_ID_LENGTH))))
  return `messageId ${shown.join(', ')}${group.length > MAX_SHOWN ? ', …' : ''}`
}

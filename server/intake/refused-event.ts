import type { DeadLetterCode } from '../../plugin/dead-letters/dead-letter.js'
import { JsonText } from '../../plugin/json/json-text.js'
import type { Source } from '../source.js'
import { writeIpPolicy } from './client-context.js'
import { LineWriter } from './line-writer.js'
import type { ScannedEvent } from './scanned-event.js'

/** Something of a request that is refused for good: an event, or a part that cannot be read. */
export interface RefusedEvent {
  readonly code: DeadLetterCode
  readonly reason: string
  readonly source: Source | undefined
  readonly messageId: string | undefined
  /** Without its write key. */
  readonly data: unknown
}

/** Refuses an event. SECURITY: its write key, and an address that the source does not keep, are left out. */
export function refusalOf(
  event: ScannedEvent,
  code: DeadLetterCode,
  reason: string,
  source: Source | undefined,
): RefusedEvent {
  return { code, reason, source, messageId: event.stringOf('messageId'), data: redacted(event, source) }
}

function redacted(event: ScannedEvent, source: Source | undefined): JsonText {
  if (!event.isObject) return new JsonText(event.bytes.subarray(event.start, event.end))
  const line = new LineWriter(event.bytes, event.start, event.end)
  if (event.has('writeKey')) line.remove('writeKey', event.startOf('writeKey'), event.endOf('writeKey'))
  if (source !== undefined) writeIpPolicy(line, event, source.ip)
  return new JsonText(line.written())
}

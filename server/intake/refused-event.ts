import type { DeadLetterCode } from '../../plugin/dead-letters/dead-letter.js'
import { JsonText } from '../../plugin/json/json-text.js'
import type { Source } from '../source.js'
import { writeIpPolicy } from './client-context.js'
import { LineWriter } from './line-writer.js'
import type { ScannedEvent } from './scanned-event.js'

/** Of the objects around the data. */
const OBJECT_BYTES = 512

/** Something of a request that is refused for good: an event, or a part that cannot be read. */
export interface RefusedEvent {
  readonly code: DeadLetterCode
  readonly reason: string
  readonly source: Source | undefined
  readonly messageId: string | undefined
  /** Without its write key. */
  readonly data: JsonText
}

/** The memory that a refused event takes, in bytes: its data, and the objects around that. */
export function heldByRefusal({ data }: RefusedEvent): number {
  return data.bytes.length + OBJECT_BYTES
}

/** SECURITY: a key must not be kept beside what it let in, nor an address that the source's policy keeps out. */
export function refusalOf(
  event: ScannedEvent,
  code: DeadLetterCode,
  reason: string,
  source: Source | undefined,
): RefusedEvent {
  return { code, reason, source, messageId: event.stringOf('messageId'), data: redacted(event, source) }
}

function redacted(event: ScannedEvent, source: Source | undefined): JsonText {
  // Copied, as the body would be held with it.
  if (!event.isObject) return new JsonText(Buffer.from(event.bytes.subarray(event.start, event.end)))
  const line = new LineWriter(event.bytes, event.start, event.end)
  if (event.has('writeKey')) line.remove('writeKey', event.startOf('writeKey'), event.endOf('writeKey'))
  if (source !== undefined) writeIpPolicy(line, event, source.ip)
  return new JsonText(line.written())
}

import type { Message } from '@aws-sdk/client-sqs'
import { targetId } from './file-name.js'
import { decodeLines, encodeLines, type OutgoingMessage } from './line-message.js'
import type { SpillTarget } from './spill.js'

const VERSION = '1'

/** Records of one target, as they travel together. */
export interface RecordGroup {
  readonly target: SpillTarget
  readonly records: readonly Uint8Array[]
  /** When the oldest of them was spilled, in ms since 1970. */
  readonly time: number
}

/**
 * As few messages as hold the records.
 *
 * @throws UnfitRecordError where a record is too large for a message even when it is compressed
 */
export function encodeMessages(
  { target, records, time }: RecordGroup,
  maxBodyBytes: number,
): OutgoingMessage[] {
  const { stream, key } = target
  const attributes = { version: VERSION, stream, key, time: String(Math.floor(time)) }
  const nameOf = (bytes: number) => `A record of ${bytes} bytes for ${stream}`
  return encodeLines({ lines: records, attributes, nameOf }, maxBodyBytes)
}

/** `undefined` for what no spill wrote. */
export function decodeMessage(message: Message): RecordGroup | undefined {
  const value = (name: string) => message.MessageAttributes?.[name]?.StringValue ?? ''
  const target = { stream: value('stream'), key: value('key') }
  const time = Number(value('time'))
  if (value('version') !== VERSION || !Number.isSafeInteger(time) || !isTarget(target)) return undefined
  const records = decodeLines(message)
  return records && { target, records, time }
}

function isTarget(target: SpillTarget): boolean {
  try {
    targetId(target)
    return true
  } catch {
    return false
  }
}

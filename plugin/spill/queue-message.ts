import { isUtf8 } from 'node:buffer'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs'
import { targetId } from './file-name.js'
import { splitLines } from './lines.js'
import { type SpillTarget, UnfitRecordError } from './spill.js'

/** Room for a message's attributes, which count as its body does. */
export const ATTRIBUTES_BYTES = 256

const VERSION = '1'
/** SECURITY: what is inflated stays within what was deflated: a message's records, or one record alone. */
const MAX_INFLATED_BYTES = 2 * 1024 * 1024
/**
 * The characters that SQS refuses, of which `JSON.stringify` leaves two as they are.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that SQS refuses
const REFUSED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/

/** Records of one target, as they travel together. */
export interface RecordGroup {
  readonly target: SpillTarget
  readonly records: readonly Uint8Array[]
  /** When the oldest of them was spilled, in ms since 1970. */
  readonly time: number
}

export interface OutgoingMessage {
  readonly body: string
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>
  readonly records: number
  /** When the oldest of them was spilled, in ms since 1970. */
  readonly time: number
  /** What it counts against the limits of SQS, at most. */
  readonly bytes: number
}

/**
 * As few messages as hold the records: lines as they are, to be read in the console of SQS; compressed where SQS would
 * not take them so.
 *
 * @throws UnfitRecordError where a record is too large for a message even when it is compressed.
 */
export function encodeMessages(group: RecordGroup, maxBodyBytes: number): OutgoingMessage[] {
  const { target, records, time } = group
  const raw = Buffer.concat(records)
  const { text, encoding } = encodeBody(raw, maxBodyBytes)
  if (raw.length > MAX_INFLATED_BYTES || Buffer.byteLength(text) > maxBodyBytes) {
    if (records.length < 2) throw tooLarge(raw.length, target, maxBodyBytes)
    const half = Math.ceil(records.length / 2)
    return [records.slice(0, half), records.slice(half)].flatMap((part) =>
      encodeMessages({ target, records: part, time }, maxBodyBytes),
    )
  }
  const attributes = {
    version: string(VERSION),
    stream: string(target.stream),
    key: string(target.key),
    time: string(String(Math.floor(time))),
    encoding: string(encoding),
  }
  const bytes = Buffer.byteLength(text) + ATTRIBUTES_BYTES
  return [{ body: text, attributes, records: records.length, time, bytes }]
}

/** `undefined` for what no spill wrote. */
export function decodeMessage({ Body, MessageAttributes }: Message): RecordGroup | undefined {
  const value = (name: string) => MessageAttributes?.[name]?.StringValue ?? ''
  const target = { stream: value('stream'), key: value('key') }
  const time = Number(value('time'))
  if (Body === undefined || value('version') !== VERSION || !Number.isSafeInteger(time)) return undefined
  try {
    targetId(target)
    const { lines, rest } = splitLines(decodeBody(Body, value('encoding')))
    return lines.length > 0 && rest.length === 0 ? { target, records: lines, time } : undefined
  } catch {
    return undefined
  }
}

function encodeBody(bytes: Buffer, maxBytes: number): { text: string; encoding: 'text' | 'gzip' } {
  if (bytes.length <= maxBytes && isUtf8(bytes)) {
    const text = bytes.toString('utf8')
    if (!REFUSED.test(text)) return { text, encoding: 'text' }
  }
  return { text: gzipSync(bytes).toString('base64'), encoding: 'gzip' }
}

function decodeBody(body: string, encoding: string): Uint8Array {
  if (encoding === 'text') return Buffer.from(body, 'utf8')
  return gunzipSync(Buffer.from(body, 'base64'), { maxOutputLength: MAX_INFLATED_BYTES })
}

function string(value: string): MessageAttributeValue {
  return { DataType: 'String', StringValue: value }
}

function tooLarge(bytes: number, { stream }: SpillTarget, maxBodyBytes: number): UnfitRecordError {
  return new UnfitRecordError(
    `A record of ${bytes} bytes for ${stream} does not fit in a message of the spill queue, which takes ${maxBodyBytes} ` +
      'bytes besides its attributes. Set the MaximumMessageSize of the queue to 1048576',
  )
}

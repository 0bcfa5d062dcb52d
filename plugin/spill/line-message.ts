import { isUtf8 } from 'node:buffer'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs'
import { splitLines } from './lines.js'
import { UnfitRecordError } from './spill.js'

/** Room for a message's attributes, which count as its body does. */
export const ATTRIBUTES_BYTES = 256

/** SECURITY: what is inflated stays within what was deflated: a message's lines, or one line alone. */
const MAX_INFLATED_BYTES = 2 * 1024 * 1024
/**
 * The characters that SQS refuses, of which `JSON.stringify` leaves two as they are.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that SQS refuses
const REFUSED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/

/** Lines that travel together, and what a message says of them. */
export interface LineGroup {
  /** Each with its newline. */
  readonly lines: readonly Uint8Array[]
  readonly attributes: Readonly<Record<string, string>>
  /** What an error calls a line of so many bytes. */
  readonly nameOf: (bytes: number) => string
}

export interface OutgoingMessage {
  readonly body: string
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>
  /** How many lines it holds. */
  readonly lines: number
  /** What it counts against the limits of SQS, at most. */
  readonly bytes: number
  /** The same content in messages whose bodies are smaller. @throws UnfitRecordError */
  split(maxBodyBytes: number): readonly OutgoingMessage[]
}

/**
 * As few messages as hold the lines: as they are, to be read in the console of SQS; compressed where SQS would not take
 * them so.
 *
 * @throws UnfitRecordError where a line is too large for a message even when it is compressed
 */
export function encodeLines(group: LineGroup, maxBodyBytes: number): OutgoingMessage[] {
  const { lines, attributes, nameOf } = group
  const raw = Buffer.concat(lines)
  const { text, encoding } = encodeBody(raw, maxBodyBytes)
  if (raw.length > MAX_INFLATED_BYTES || Buffer.byteLength(text) > maxBodyBytes) {
    if (lines.length < 2) throw tooLarge(nameOf(raw.length), maxBodyBytes)
    const half = Math.ceil(lines.length / 2)
    return [lines.slice(0, half), lines.slice(half)].flatMap((part) =>
      encodeLines({ ...group, lines: part }, maxBodyBytes),
    )
  }
  const message: OutgoingMessage = {
    body: text,
    attributes: textAttributes({ ...attributes, encoding }),
    lines: lines.length,
    bytes: Buffer.byteLength(text) + ATTRIBUTES_BYTES,
    split: (maxBytes) => encodeLines(group, maxBytes),
  }
  return [message]
}

/** The lines of a message; `undefined` where its body is not what its attributes say. */
export function decodeLines({ Body, MessageAttributes }: Message): readonly Uint8Array[] | undefined {
  if (Body === undefined) return undefined
  try {
    const encoding = MessageAttributes?.['encoding']?.StringValue
    const { lines, rest } = splitLines(decodeBody(Body, encoding))
    return lines.length > 0 && rest.length === 0 ? lines : undefined
  } catch {
    return undefined
  }
}

export function textAttributes(
  attributes: Readonly<Record<string, string>>,
): Readonly<Record<string, MessageAttributeValue>> {
  const entries = Object.entries(attributes)
  return Object.fromEntries(entries.map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]))
}

function encodeBody(bytes: Buffer, maxBytes: number): { text: string; encoding: 'text' | 'gzip' } {
  if (bytes.length <= maxBytes && isUtf8(bytes)) {
    const text = bytes.toString('utf8')
    if (!REFUSED.test(text)) return { text, encoding: 'text' }
  }
  return { text: gzipSync(bytes).toString('base64'), encoding: 'gzip' }
}

function decodeBody(body: string, encoding: string | undefined): Uint8Array {
  if (encoding === 'text') return Buffer.from(body, 'utf8')
  return gunzipSync(Buffer.from(body, 'base64'), { maxOutputLength: MAX_INFLATED_BYTES })
}

function tooLarge(name: string, maxBodyBytes: number): UnfitRecordError {
  return new UnfitRecordError(
    `${name} does not fit in a message of the queue, which takes ${maxBodyBytes} bytes besides its attributes. ` +
      'Set the MaximumMessageSize of the queue to 1048576',
  )
}

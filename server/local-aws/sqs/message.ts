import { createHash } from 'node:crypto'
import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'
import {
  isPlainText,
  type MessageAttribute,
  md5OfAttributes,
  readAttributes,
  readSystemAttributes,
} from './message-attributes.js'
import { integerWithin, invalidParameter, missingParameter, requiredText } from './parameter-error.js'

/** What is sent. */
export interface Message {
  readonly body: string
  readonly md5OfBody: string
  readonly attributes: ReadonlyMap<string, MessageAttribute>
  readonly md5OfAttributes: string | undefined
  /** What a receiver may ask for by the names of system attributes: the trace header and the message group. */
  readonly systemAttributes: Readonly<Record<string, string>>
  readonly md5OfSystemAttributes: string | undefined
  /** Of the body and the attributes. System attributes do not count. */
  readonly bytes: number
  readonly delaySeconds: number | undefined
}

const GROUP_ID = /^[!-~]{1,128}$/

/**
 * The message of a request, or of an entry of a batch.
 *
 * @param traceHeader - the request's `X-Amzn-Trace-Id`, which stands in for a system attribute that is not given
 * @throws AwsError
 */
export function readMessage(input: Input, traceHeader?: string): Message {
  const body = requiredText(input, 'MessageBody')
  const attributes = readAttributes(input.structure('MessageAttributes'))
  const system = readSystemAttributes(input.structure('MessageSystemAttributes'))
  const trace = system.get('AWSTraceHeader')?.value.toString() ?? traceHeader
  const group = readGroupId(input)
  if (body === '') throw missingParameter('MessageBody')
  if (!isPlainText(body)) {
    throw new AwsError(
      'InvalidMessageContents',
      400,
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.',
    )
  }
  return {
    body,
    md5OfBody: createHash('md5').update(body).digest('hex'),
    attributes,
    md5OfAttributes: attributes.size > 0 ? md5OfAttributes(attributes) : undefined,
    systemAttributes: {
      ...(trace !== undefined && { AWSTraceHeader: trace }),
      ...(group !== undefined && { MessageGroupId: group }),
    },
    md5OfSystemAttributes: system.size > 0 ? md5OfAttributes(system) : undefined,
    bytes: messageBytes(input),
    delaySeconds: integerWithin(input, 'DelaySeconds', 0, 900),
  }
}

/** What counts against the limits: the body, and of each attribute its name, type and value. */
export function messageBytes(input: Input): number {
  const attributes = input.structure('MessageAttributes')
  let bytes = Buffer.byteLength(input.text('MessageBody') ?? '')
  for (const name of attributes?.names() ?? []) {
    const attribute = attributes?.structure(name)
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute?.text('DataType') ?? '')
    bytes += attribute?.blob('BinaryValue')?.length ?? Buffer.byteLength(attribute?.text('StringValue') ?? '')
  }
  return bytes
}

/**
 * @param isEntry - whether it is an entry of a batch, of which SQS says this in other words
 * @throws AwsError InvalidParameterValueException
 */
export function requireSize({ bytes }: Message, maxBytes: number, isEntry = false): void {
  if (bytes <= maxBytes) return
  const fault = isEntry ? 'cannot be validated' : 'are invalid'
  throw invalidParameter(
    `One or more parameters ${fault}. Reason: Message must be shorter than ${maxBytes} bytes.`,
  )
}

/** Standard queues take a message group, by which SQS shares them fairly; here it is only given back. */
function readGroupId(input: Input): string | undefined {
  const group = input.text('MessageGroupId')
  if (group === undefined || GROUP_ID.test(group)) return group
  throw invalidParameter(
    `Value ${group} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.`,
  )
}

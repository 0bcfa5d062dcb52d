import { createHash } from 'node:crypto'
import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'
import { type MessageAttribute, md5OfAttributes, readAttributes } from './message-attributes.js'
import { integerWithin, invalidParameter, requiredText } from './parameter-error.js'

/** What is sent. */
export interface Message {
  readonly body: string
  readonly md5OfBody: string
  readonly attributes: ReadonlyMap<string, MessageAttribute>
  readonly md5OfAttributes: string | undefined
  /** Of the body and the attributes. */
  readonly bytes: number
  readonly delaySeconds: number | undefined
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are not allowed
const NOT_ALLOWED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/u

/** The message of a request, or of an entry of a batch. @throws AwsError */
export function readMessage(input: Input): Message {
  const body = requiredText(input, 'MessageBody')
  const attributes = readAttributes(input.structure('MessageAttributes'))
  if (body === '') {
    throw new AwsError('MissingParameter', 400, 'The request must contain the parameter MessageBody.')
  }
  if (NOT_ALLOWED.test(body)) {
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

/** @throws AwsError InvalidParameterValue */
export function requireSize({ bytes }: Message, maxBytes: number): void {
  if (bytes <= maxBytes) return
  throw invalidParameter(
    `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`,
  )
}

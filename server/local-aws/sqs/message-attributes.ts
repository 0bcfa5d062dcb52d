import { createHash } from 'node:crypto'
import type { Input } from '../input.js'
import { invalidParameter } from './parameter-error.js'

export interface MessageAttribute {
  /** `String`, `Number` or `Binary`, with a label of the sender's after a dot. */
  readonly dataType: string
  readonly value: string | Buffer
}

const MAX_ATTRIBUTES = 10
/** Letters of any script are allowed, as AWS shows, although its documentation speaks of "alphanumeric characters". */
const NAME = /^(?!aws\.|amazon\.|\.)(?!.*\.\.)[\p{L}\p{N}_.-]{1,256}(?<!\.)$/iu
const DATA_TYPE = /^(?:String|Number|Binary)(?:\..{1,249})?$/

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are not allowed
const NOT_ALLOWED = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/u

/** Whether a text has only characters that SQS takes. */
export function isPlainText(text: string): boolean {
  return !NOT_ALLOWED.test(text)
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html */
export function readAttributes(attributes: Input | undefined): Map<string, MessageAttribute> {
  const names = attributes?.names() ?? []
  if (names.length > MAX_ATTRIBUTES) {
    throw invalidParameter(
      `Number of message attributes [${names.length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    )
  }
  return new Map(names.map((name) => [name, readAttribute(name, attributes?.structure(name))]))
}

function readAttribute(name: string, attribute: Input | undefined): MessageAttribute {
  if (!NAME.test(name)) throw invalidParameter(`The message attribute name '${name}' is invalid.`)
  const dataType = attribute?.text('DataType') ?? ''
  if (!DATA_TYPE.test(dataType)) {
    throw invalidParameter(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    )
  }
  const value = dataType.startsWith('Binary')
    ? attribute?.blob('BinaryValue')
    : attribute?.text('StringValue')
  if (value === undefined || value.length === 0) {
    throw invalidParameter(
      `Message (user) attribute '${name}' must contain a non-empty value of type '${dataType}'.`,
    )
  }
  if (typeof value === 'string' && !isPlainText(value)) {
    throw invalidParameter(`Message (user) attribute '${name}' contains invalid characters.`)
  }
  return { dataType, value }
}

/** Of these there is only one, the header of AWS X-Ray. @throws AwsError */
export function readSystemAttributes(attributes: Input | undefined): Map<string, MessageAttribute> {
  const names = attributes?.names() ?? []
  for (const name of names) {
    if (name !== 'AWSTraceHeader')
      throw invalidParameter(`Message system attribute name '${name}' is invalid.`)
    if (attributes?.structure(name)?.text('DataType') !== 'String') {
      throw invalidParameter(`The message system attribute '${name}' must be of type 'String'.`)
    }
  }
  return new Map(names.map((name) => [name, readAttribute(name, attributes?.structure(name))]))
}

/** The digest that clients may check: of names, types and values, each after its length, in order of the names. */
export function md5OfAttributes(attributes: ReadonlyMap<string, MessageAttribute>): string {
  const hash = createHash('md5')
  const add = (value: string | Buffer) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(value))
    hash.update(length).update(value)
  }
  for (const [name, { dataType, value }] of [...attributes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(name)
    add(dataType)
    hash.update(Buffer.from([typeof value === 'string' ? 1 : 2]))
    add(value)
  }
  return hash.digest('hex')
}

/** Those that a receiver asked for: by name, by a prefix and `.*`, or all of them by `All`, `*` or `.*`. */
export function attributesNamed(
  attributes: ReadonlyMap<string, MessageAttribute>,
  wanted: readonly string[],
): Map<string, MessageAttribute> {
  const isWanted = (name: string) =>
    wanted.some(
      (one) =>
        one === 'All' ||
        one === '*' ||
        one === name ||
        (one.endsWith('.*') && name.startsWith(one.slice(0, -2))),
    )
  return new Map([...attributes].filter(([name]) => isWanted(name)))
}

/** As the protocol writes them. */
export function writeAttributes(attributes: ReadonlyMap<string, MessageAttribute>) {
  const written = [...attributes].map(([name, { dataType, value }]) => [
    name,
    typeof value === 'string'
      ? { DataType: dataType, StringValue: value }
      : { DataType: dataType, BinaryValue: value.toString('base64') },
  ])
  return Object.fromEntries(written) as Readonly<Record<string, unknown>>
}

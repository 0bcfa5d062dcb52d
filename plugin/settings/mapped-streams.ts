import * as z from 'zod'
import { entriesOf } from './entries.js'
import { matching } from './fields.js'

/** A row of the mapping, read: `event` trimmed and in lower case. */
export interface MappingRow {
  readonly event: string
  readonly stream: string
  /** ARN of the stream's customer-managed key. */
  readonly kmsKey?: string | undefined
}

/** The names in a row, to suggest the one that was meant. */
export const ROW_NAMES: readonly string[] = ['event', 'stream', 'kmsKey']

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN */
export const KEY_ARN =
  /^arn:(?<partition>aws[a-z0-9-]*):kms:(?<region>[a-z0-9-]+):(?<account>\d{12}):key\/[a-zA-Z0-9-]{1,64}$/

/** IAM takes no alias where it wants the ARN of a key. */
export const NAME_THE_KEY =
  "give the KMS key's ARN, arn:aws:kms:REGION:ACCOUNT:key/ID; policies take no alias of it"

const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,64}$/
const STREAM_ARN =
  /^arn:(?<partition>aws[a-z0-9-]*):firehose:(?<region>[a-z0-9-]+):(?<account>\d{12}):deliverystream\/(?<name>[a-zA-Z0-9_.-]{1,64})$/

const NAME_THE_EVENT = 'name a track event, an event type, or "*" for all events'
const NAME_THE_STREAM =
  "give a delivery stream's name (1 to 64 of a-z A-Z 0-9 _ . -) or its ARN (arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME)"

const event = z
  .string({ error: NAME_THE_EVENT })
  .refine((value) => value.trim() !== '', { error: NAME_THE_EVENT })
  .transform((value) => value.trim().toLowerCase())

const stream = z
  .string({ error: NAME_THE_STREAM })
  .refine((value) => STREAM_NAME.test(value) || STREAM_ARN.test(value), { error: NAME_THE_STREAM })

const streams = z.preprocess(
  (given) => (typeof given === 'string' ? [given] : given),
  z.array(stream, { error: NAME_THE_STREAM }).min(1, { error: NAME_THE_STREAM }),
)

const row = z.strictObject(
  { event, stream: streams, kmsKey: matching(KEY_ARN, NAME_THE_KEY).optional() },
  { error: 'give rows of { event, stream }' },
)

/** `[{ event, stream }, …]` */
export const mappingRows = z
  .array(row)
  .transform((rows): MappingRow[] =>
    rows.flatMap(({ event, stream, kmsKey }) =>
      stream.map((stream) => ({ event, stream, ...(kmsKey !== undefined && { kmsKey }) })),
    ),
  )

/** `{ event: stream, … }` */
export const mappingTable = entriesOf(
  event,
  streams,
  'give rows of { event, stream }, or an object from event to stream',
).transform((entries): MappingRow[] =>
  entries.flatMap(([event, streams]) => streams.map((stream) => ({ event, stream }))),
)

/** Whether it could be the name of a delivery stream. */
export function isStreamName(value: unknown): value is string {
  return typeof value === 'string' && STREAM_NAME.test(value)
}

interface StreamPlace {
  readonly name: string
  readonly partition?: string
  readonly region?: string
  readonly account?: string
}

/** The name of what a row names by name or ARN, and where it lies, as far as the row says. */
export function readStream(stream: string): StreamPlace {
  const arn = STREAM_ARN.exec(stream)?.groups as Required<StreamPlace> | undefined
  return arn ?? { name: stream }
}

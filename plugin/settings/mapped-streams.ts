import * as z from 'zod'
import { entriesOf } from './entries.js'

/** A row of the mapping, read: `event` trimmed and in lower case. */
export interface MappingRow {
  readonly event: string
  readonly stream: string
}

/** The names in a row, to suggest the one that was meant. */
export const ROW_NAMES: readonly string[] = ['event', 'stream']

const STREAM_NAME = /^[a-zA-Z0-9_.-]{1,64}$/
const STREAM_ARN =
  /^arn:aws[a-z0-9-]*:firehose:(?<region>[a-z0-9-]+):(?<account>\d{12}):deliverystream\/(?<name>[a-zA-Z0-9_.-]{1,64})$/

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

/** `[{ event, stream }, …]` */
export const mappingRows = z
  .array(z.strictObject({ event, stream: streams }, { error: 'give rows of { event, stream }' }))
  .transform((rows): MappingRow[] =>
    rows.flatMap((row) => row.stream.map((stream) => ({ event: row.event, stream }))),
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
  readonly region?: string
  readonly account?: string
}

/** The name of what a row names by name or ARN, and where it lies, as far as that is told. */
export function readStream(stream: string): StreamPlace {
  const arn = STREAM_ARN.exec(stream)?.groups as Required<StreamPlace> | undefined
  return arn ?? { name: stream }
}

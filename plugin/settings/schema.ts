import * as z from 'zod'
import type { SegmentEvent } from '../event.js'
import { MAX_CALL_BYTES, MAX_CALL_RECORDS, MAX_RECORD_BYTES } from '../limits.js'
import { assumeRole } from './assume-role-settings.js'
import { entriesOf } from './entries.js'
import {
  EXTERNAL_ID,
  EXTERNAL_ID_RULE,
  httpsProxy,
  httpUrl,
  integer,
  logger,
  matching,
  oneOf,
} from './fields.js'
import { mappingRows, mappingTable } from './mapped-streams.js'
import { REGION } from './regions.js'
import type { AwsClientConfig } from './settings.js'
import { spill } from './spill-settings.js'

// Source of the pattern: the RoleARN of https://docs.aws.amazon.com/firehose/latest/APIReference/API_S3DestinationConfiguration.html
const ROLE_ARN = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[a-zA-Z_0-9+=,.@\-_/]+$/
export const NAME_THE_REGION = "name the streams' AWS region, such as 'us-west-2'"

const fields = {
  region: matching(REGION, NAME_THE_REGION),
  roleAddress: matching(
    ROLE_ARN,
    "give the role's ARN, such as arn:aws:iam::123456789012:role/segment-firehose",
  ),
  sourceId: matching(EXTERNAL_ID, `an external ID ${EXTERNAL_ID_RULE}`),
  secretId: matching(EXTERNAL_ID, `an external ID ${EXTERNAL_ID_RULE}`),
  assumeRole,
  api: oneOf(['auto', 'PutRecord', 'PutRecordBatch']),
  routing: oneOf(['all', 'most-specific']),
  aggregation: z.preprocess(
    (given) => (typeof given === 'string' ? { '*': given } : given),
    entriesOf(
      z.string(),
      z.enum(['off', 'ndjson'], { error: "use 'off' or 'ndjson'" }),
      "use 'off', 'ndjson', or an object from stream name to one of them",
    ),
  ),
  aggregateBytes: integer(1, MAX_RECORD_BYTES, 'bytes'),
  flushAt: integer(1, MAX_CALL_RECORDS, 'records'),
  flushBytes: integer(1, MAX_CALL_BYTES, 'bytes'),
  flushInterval: integer(0, 900_000, 'ms'),
  maxBufferedBytes: integer(MAX_RECORD_BYTES, Number.MAX_SAFE_INTEGER, 'bytes'),
  deliveryTimeout: integer(1, 86_400_000, 'ms'),
  requestTimeout: integer(1, 300_000, 'ms'),
  concurrency: integer(1, 1_000, 'calls'),
  maxRequestsPerSecond: integer(1, 1_000_000, 'calls a second'),
  transform: z.custom<(event: SegmentEvent) => SegmentEvent | null>((given) => typeof given === 'function', {
    error: 'give a function from an event to an event or null',
  }),
  endpoint: httpUrl(),
  stsEndpoint: httpUrl(),
  clientConfig: z.custom<AwsClientConfig>((given) => typeof given === 'object' && given !== null, {
    error: "give an object of the AWS SDK's client options",
  }),
  httpsProxy: httpsProxy(),
  spill: spill(),
  logger: logger(),
}

const optional = z.strictObject(fields).partial()
const withRows = optional.extend({ mappedStreams: mappingRows })
const withTable = optional.extend({ mappedStreams: mappingTable })
/** Settings whose `mappedStreams` are rows: all of them, or those that are right where others are not. */
export const rows = { all: withRows, some: withRows.partial() }
/** As {@link rows}, where `mappedStreams` is an object. */
export const table = { all: withTable, some: withTable.partial() }

/** The names of all settings of a destination. */
export const SETTING_NAMES: readonly string[] = ['mappedStreams', ...Object.keys(fields)]

/** Settings that are right each by itself. */
export type Values = z.output<typeof rows.some>

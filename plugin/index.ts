export {
  type ClientPool,
  type ClientPoolOptions,
  type ClientPoolStats,
  createClientPool,
} from './aws/client-pool.js'
export { ERROR_CODES, type ErrorCode, FirehoseError } from './errors.js'
export type { SegmentEvent } from './event.js'
export type { Logger } from './logger.js'
export { createMapper, DESTINATION_NAME, type MappedRecord, type Mapper, type Mapping } from './mapper.js'
export type {
  Aggregation,
  AwsClientConfig,
  DestinationSettings,
  MappedStream,
  MappedStreams,
  PutApi,
  Routing,
} from './settings/settings.js'

export type { PooledClient } from './aws/client.js'
export {
  type ClientPool,
  type ClientPoolOptions,
  type ClientPoolStats,
  createClientPool,
} from './aws/client-pool.js'
export type { ClientIdentity } from './aws/sdk-clients.js'
export type { Clock } from './clock.js'
export { createDelivery, type DeliveryOptions } from './delivery/create-delivery.js'
export type { CloseOptions, Delivery } from './delivery/delivery.js'
export type { RecordOutcome } from './delivery/outcome.js'
export type { StreamReport, StreamStats } from './delivery/stats.js'
export type { DestinationStats } from './destination.js'
export { ERROR_CODES, type ErrorCode, FirehoseError } from './errors.js'
export type { SegmentEvent } from './event.js'
export type { Logger } from './logger.js'
export {
  createMapper,
  DESTINATION_NAME,
  type MappedRecord,
  type Mapper,
  type Mapping,
  UNROUTED,
} from './mapper.js'
export { type FlushReport, type KinesisFirehosePlugin, kinesisFirehose } from './plugin.js'
export type {
  Aggregation,
  AssumeRoleSettings,
  AwsClientConfig,
  DestinationSettings,
  MappedStream,
  MappedStreams,
  PutApi,
  Routing,
} from './settings/settings.js'

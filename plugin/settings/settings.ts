import type { FirehoseClientConfig } from '@aws-sdk/client-firehose'
import type { SegmentEvent } from '../event.js'
import type { Logger } from '../logger.js'

/** One row of the mapping: an event name, an event type or `*`, and where such events go. */
export interface MappedStream {
  /** The name of a track event, an event type (`page`, `track`, …) or `*` for all. Case and outer space are ignored. */
  readonly event: string
  /** A delivery stream's name, case-sensitive, or its ARN; or several. */
  readonly stream: string | readonly string[]
  /**
   * ARN of the customer-managed KMS key that encrypts the stream: `analytics-firehose iam` then allows its use, which AWS
   * wants of whoever writes. @default none: the stream has a key of AWS's, or none
   */
  readonly kmsKey?: string | undefined
}

/** The mapping as rows, or as an object from event to stream. */
export type MappedStreams = readonly MappedStream[] | Readonly<Record<string, string | readonly string[]>>

/** One record an event, or many events in one record, a line each. */
export type Aggregation = 'off' | 'ndjson'

/** Which call carries the records. */
export type PutApi = 'auto' | 'PutRecord' | 'PutRecordBatch'

/** `all`: to every row that matches. `most-specific`: to the rows of the first that matches of name, type, `*`. */
export type Routing = 'all' | 'most-specific'

/** Options handed to the AWS SDK's clients, STS's and Firehose's alike. */
export type AwsClientConfig = Pick<
  FirehoseClientConfig,
  'credentials' | 'customUserAgent' | 'requestHandler' | 'tls' | 'useDualstackEndpoint' | 'useFipsEndpoint'
>

/** How the role is assumed: what CloudTrail and the role's policies see of the session. */
export interface AssumeRoleSettings {
  /** The session's name, 2 to 64 characters. @default `analytics-firehose-` and a digest of the external ID */
  readonly sessionName?: string | undefined
  /** Who is behind the session, for CloudTrail; roles that it assumes in turn keep it. The trust policy has to allow `sts:SetSourceIdentity`. @default none */
  readonly sourceIdentity?: string | undefined
  /** Session tags, up to 50. The trust policy has to allow `sts:TagSession`. @default none */
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** Keys of those tags that roles assumed in turn keep. @default none */
  readonly transitiveTags?: readonly string[] | undefined
  /** How long a session lasts, in seconds, from 900 to 43200: no longer than the role's MaxSessionDuration. @default 3600 */
  readonly durationSeconds?: number | undefined
}

/**
 * The settings of one destination. Names are those of Segment's "Amazon Kinesis Firehose" destination and of
 * `@segment/analytics-node` where they have one.
 *
 * @see https://segment.com/docs/connections/destinations/catalog/amazon-kinesis-firehose/
 */
export interface DestinationSettings {
  /** Which events go to which delivery streams. */
  readonly mappedStreams: MappedStreams
  /** Region of the delivery streams. @default that in `endpoint`, else process.env.AWS_REGION, else 'us-west-2' */
  readonly region?: string | undefined
  /** ARN of the IAM role to assume. @default none: the ambient AWS credentials are used */
  readonly roleAddress?: string | undefined
  /** The Segment source's ID: the external ID, unless `secretId` is set. @default none */
  readonly sourceId?: string | undefined
  /** External ID that many sources share (Segment's "Secret ID"). 2 to 1224 characters. @default `sourceId` */
  readonly secretId?: string | undefined
  /** How `roleAddress` is assumed. @default {} */
  readonly assumeRole?: AssumeRoleSettings | undefined
  /** `auto` is PutRecordBatch, and PutRecord where a role turns out to allow only that. @default 'auto' */
  readonly api?: PutApi | undefined
  /** What becomes of an event that several rows match. @default 'all' */
  readonly routing?: Routing | undefined
  /** For all streams, or by stream name with `*` for the others. @default 'off' */
  readonly aggregation?: Aggregation | Readonly<Record<string, Aggregation>> | undefined
  /** Size an aggregated record may grow to, in bytes. @default 262144 */
  readonly aggregateBytes?: number | undefined
  /** Records in a call at most. @default 500 */
  readonly flushAt?: number | undefined
  /** Bytes in a call at most. @default 4194304 */
  readonly flushBytes?: number | undefined
  /** How long a record may wait for company, in ms. @default 0: a free slot sends at once */
  readonly flushInterval?: number | undefined
  /**
   * Bytes held in memory over all streams, with 512 for each record beside its data. At the cap further events fail.
   *
   * @default 67108864
   */
  readonly maxBufferedBytes?: number | undefined
  /** How long a record is tried before it fails, in ms. @default 30000 in the plugin, 5000 in the proxy */
  readonly deliveryTimeout?: number | undefined
  /**
   * How long one call may take, in ms, and no longer than its records may. After time-outs, and while AWS answers slowly, a
   * call may take up to eight times as long: one that is cut is made again, and both may arrive. Where credentials have
   * expired, their renewal and the call after it may take as long again each.
   *
   * @default 5000, or `deliveryTimeout` where that is less
   */
  readonly requestTimeout?: number | undefined
  /** Calls in flight for one stream at most. @default 8, or 50 with PutRecord */
  readonly concurrency?: number | undefined
  /** Calls a second for one stream at most. @default the stream's quota in its region: 2000 or 1000 */
  readonly maxRequestsPerSecond?: number | undefined
  /**
   * Redacts or drops (with `null`) an event. Return a changed copy: the event given is shared with others.
   * @default none
   */
  readonly transform?: ((event: SegmentEvent) => SegmentEvent | null) | undefined
  /** URL of the Firehose endpoint, for VPC endpoints or a local AWS. @default AWS's of the region */
  readonly endpoint?: string | undefined
  /** URL of the STS endpoint. @default AWS's of the region */
  readonly stsEndpoint?: string | undefined
  /** Passed to the AWS SDK's clients. @default {} */
  readonly clientConfig?: AwsClientConfig | undefined
  /**
   * URL of a proxy for all requests to AWS, those for credentials included, such as `http://proxy.example.com:3128`, or
   * `false` for none. @default `HTTPS_PROXY` of the environment, but for the hosts in `NO_PROXY`
   */
  readonly httpsProxy?: string | false | undefined
  /**
   * A directory, or the URL of an SQS queue, for records that cannot be delivered in time: they are sent from there when
   * the stream takes records again, by a later process too. @default none: they fail
   */
  readonly spill?: string | SpillSettings | undefined
  /** Where notices go. @default console */
  readonly logger?: Logger | undefined
}

/** Where records are kept that cannot be delivered in time. */
export type SpillSettings = SpillDirectorySettings | SpillQueueSettings

/** A directory of this machine, or one that several share. */
export interface SpillDirectorySettings extends DrainSettings {
  readonly directory: string
  /** Bytes kept at most; beyond them records fail. @default 1073741824 */
  readonly maxBytes?: number | undefined
}

/** A standard SQS queue, for fleets and for machines without a disk. Uses the ambient AWS credentials. */
export interface SpillQueueSettings extends DrainSettings {
  readonly queueUrl: string
  /** @default that of the URL, else process.env.AWS_REGION, else 'us-west-2' */
  readonly region?: string | undefined
  /** As for destinations: the URL of a proxy, or `false`. @default `HTTPS_PROXY`, but for the hosts in `NO_PROXY` */
  readonly httpsProxy?: string | false | undefined
}

interface DrainSettings {
  /** Of a stream's calls at once, how much the spill may have while it is emptied, up to 1. @default 0.25 */
  readonly drainShare?: number | undefined
}

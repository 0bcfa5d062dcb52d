import { AwsError } from '../aws-error.js'
import type { Compression } from '../output-file.js'
import { type LocalAwsQuotas, StreamQuota } from '../quotas.js'

/** A delivery stream. It is the same in every region and account: this endpoint has one set of streams. */
export interface DeliveryStream {
  readonly name: string
  /** Epoch ms. */
  readonly createdAt: number
  readonly compression: Compression
  /** What was given as S3 destination, to be described again. */
  readonly destination: Readonly<Record<string, unknown>>
  readonly tags: Map<string, string>
  readonly quota: StreamQuota
}

export interface NewDeliveryStream {
  readonly name: string
  readonly compression?: Compression
  readonly destination?: Readonly<Record<string, unknown>>
  readonly tags?: Iterable<readonly [string, string]>
}

export interface StreamDefaults {
  readonly compression: Compression
  readonly quotas: LocalAwsQuotas
  readonly now: () => number
}

/** AWS's quota of streams a region. */
const MAX_STREAMS = 5_000

/** The delivery streams there are. Each is ACTIVE from its creation on. */
export class Streams {
  readonly #byName = new Map<string, DeliveryStream>()
  readonly #defaults: StreamDefaults

  constructor(defaults: StreamDefaults) {
    this.#defaults = defaults
  }

  /** @throws AwsError ResourceInUseException, LimitExceededException */
  create(stream: NewDeliveryStream, accountId: string): DeliveryStream {
    const { name } = stream
    if (this.#byName.has(name)) {
      throw new AwsError(
        'ResourceInUseException',
        400,
        `Firehose ${name} under accountId ${accountId} already exists`,
      )
    }
    if (this.#byName.size >= MAX_STREAMS) {
      throw new AwsError(
        'LimitExceededException',
        400,
        `You have already consumed your firehose quota of ${MAX_STREAMS} hoses.`,
      )
    }
    const { compression, quotas, now } = this.#defaults
    const created: DeliveryStream = {
      name,
      createdAt: now(),
      compression: stream.compression ?? compression,
      destination: stream.destination ?? {},
      tags: new Map(stream.tags),
      quota: new StreamQuota(quotas, now()),
    }
    this.#byName.set(name, created)
    return created
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string, accountId: string): DeliveryStream {
    const stream = this.#byName.get(name)
    if (stream !== undefined) return stream
    throw new AwsError(
      'ResourceNotFoundException',
      400,
      `Firehose ${name} under account ${accountId} not found.`,
    )
  }

  /** @throws AwsError ResourceNotFoundException */
  delete(name: string, accountId: string): void {
    this.get(name, accountId)
    this.#byName.delete(name)
  }

  /** Sorted, as AWS lists them. */
  names(): string[] {
    return [...this.#byName.keys()].sort()
  }
}

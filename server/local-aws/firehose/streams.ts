import { AwsError } from '../aws-error.js'
import type { Compression } from '../output-file.js'
import { type LocalAwsQuotas, StreamQuota } from '../quotas.js'
import { Regional } from '../regional.js'
import type { StreamEncryption } from './encryption.js'

/** A delivery stream of one region, the same for all accounts: this endpoint has one set of streams a region. */
export interface DeliveryStream {
  readonly name: string
  /** Epoch ms. */
  readonly createdAt: number
  readonly compression: Compression
  /** What was given as S3 destination, to be described again. */
  readonly destination: Readonly<Record<string, unknown>>
  readonly encryption: StreamEncryption | undefined
  readonly tags: Map<string, string>
  readonly quota: StreamQuota
}

export interface NewDeliveryStream {
  readonly name: string
  readonly compression?: Compression
  readonly destination?: Readonly<Record<string, unknown>>
  readonly encryption?: StreamEncryption | undefined
  readonly tags?: Iterable<readonly [string, string]>
}

export interface StreamDefaults {
  readonly compression: Compression
  readonly quotas: LocalAwsQuotas
  readonly now: () => number
}

/** Whose stream it is, for the words of an error, and where. */
export interface StreamPlace {
  readonly accountId: string
  readonly region: string
}

/** AWS's quota of streams a region. */
const MAX_STREAMS = 5_000

/** The delivery streams there are. Each is ACTIVE from its creation on. */
export class Streams {
  readonly #streams: Regional<DeliveryStream, NewDeliveryStream>

  constructor({ compression, quotas, now }: StreamDefaults) {
    this.#streams = new Regional((name, spec) => ({
      name,
      createdAt: now(),
      compression: spec.compression ?? compression,
      destination: spec.destination ?? {},
      encryption: spec.encryption,
      tags: new Map(spec.tags),
      quota: new StreamQuota(quotas, now()),
    }))
  }

  /** Makes a stream in every region. @throws AwsError ResourceInUseException, LimitExceededException */
  add(stream: NewDeliveryStream, accountId: string): void {
    if (this.#streams.has(stream.name)) throw inUse(stream.name, accountId)
    if (this.#streams.size >= MAX_STREAMS) throw tooMany()
    this.#streams.add(stream.name, stream)
  }

  /** Removes the streams of this name from all regions. @throws AwsError ResourceNotFoundException */
  remove(name: string, accountId: string): void {
    if (!this.#streams.has(name)) throw notFound(name, accountId)
    this.#streams.remove(name)
  }

  /** Makes a stream in one region. @throws AwsError ResourceInUseException, LimitExceededException */
  create(stream: NewDeliveryStream, { accountId, region }: StreamPlace): DeliveryStream {
    const streams = this.#streams.in(region)
    if (streams.has(stream.name)) throw inUse(stream.name, accountId)
    if (streams.size >= MAX_STREAMS) throw tooMany()
    const created = this.#streams.make(stream.name, stream)
    streams.set(stream.name, created)
    return created
  }

  has(name: string, region: string): boolean {
    return this.#streams.in(region).has(name)
  }

  /** @throws AwsError ResourceNotFoundException */
  get(name: string, { accountId, region }: StreamPlace): DeliveryStream {
    const stream = this.#streams.in(region).get(name)
    if (stream !== undefined) return stream
    throw notFound(name, accountId)
  }

  /** @throws AwsError ResourceNotFoundException */
  delete(name: string, place: StreamPlace): void {
    this.get(name, place)
    this.#streams.in(place.region).delete(name)
  }

  /** Sorted, as AWS lists them. */
  names(region: string): string[] {
    return [...this.#streams.in(region).keys()].sort()
  }
}

function inUse(name: string, accountId: string): AwsError {
  const message = `Firehose ${name} under accountId ${accountId} already exists`
  return new AwsError('ResourceInUseException', 400, message)
}

function notFound(name: string, accountId: string): AwsError {
  const message = `Firehose ${name} under account ${accountId} not found.`
  return new AwsError('ResourceNotFoundException', 400, message)
}

function tooMany(): AwsError {
  const message = `You have already consumed your firehose quota of ${MAX_STREAMS} hoses.`
  return new AwsError('LimitExceededException', 400, message)
}

import type { Answer, WireRequest } from './wire.js'

/** What an SDK makes of an answer: it has delivered the events, keeps them for another try, or lets go of them. */
export type Verdict = 'delivered' | 'kept' | 'dropped'

/**
 * One SDK's way of sending. What is in a fixture was read from the SDK's sources, in the files that it names, or
 * taken from the wire while the SDK ran.
 *
 * All fixtures tell of events 5 s before they are sent, each in its SDK's own format of times.
 */
export interface SdkFixture {
  /** Name and version. */
  readonly sdk: string
  /** The request in which it sends these events, with the key where it puts it. */
  readonly request: (writeKey: string) => WireRequest
  /** Its events' types, in order. */
  readonly types: readonly string[]
  /** What each of its events says of the SDK. */
  readonly library: string
  readonly channel: 'client' | 'server' | 'mobile'
  /** Its rules for answers. */
  readonly verdict: (answer: Answer) => Verdict
}

/** Message IDs as most SDKs make them. */
export const MESSAGE_IDS = [
  '9d1f3a52-4c7e-4f0b-8a9e-0c5b7d2e6f11',
  '0b6c8e1d-72f4-4a39-9d05-3e8f1a2b4c22',
  'f47ac10b-58cc-4372-a567-0e02b2c3d433',
  '6fa459ea-ee8a-4ca4-894e-db77e160355e',
  '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  '3d813cbb-47fb-42ba-91df-831e1593ac29',
] as const

/** A header as HTTP Basic wants it, without a password. */
export function basicOf(writeKey: string): readonly [string, string] {
  return ['Authorization', `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`]
}

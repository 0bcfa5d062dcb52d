/**
 * An event as Segment's libraries make it, with the members of Segment's spec that users and senders set. It may have
 * others, and what each holds is not known before it is looked at.
 *
 * @see https://segment.com/docs/connections/spec/
 */
export interface SegmentEvent {
  readonly type?: unknown
  readonly event?: unknown
  readonly name?: unknown
  readonly category?: unknown
  readonly properties?: unknown
  readonly traits?: unknown
  readonly userId?: unknown
  readonly anonymousId?: unknown
  readonly groupId?: unknown
  readonly previousId?: unknown
  readonly messageId?: unknown
  readonly timestamp?: unknown
  readonly context?: unknown
  readonly integrations?: unknown
  /** Where Segment's API once had the integrations; analytics-ruby still passes it on. */
  readonly options?: unknown
}

/**
 * An event that is no plain object: it knows how to write itself for less than JSON.stringify takes, and is made whole
 * only where someone looks at it.
 */
export abstract class WritableEvent implements SegmentEvent {
  abstract readonly type: unknown
  abstract readonly event: unknown
  abstract readonly messageId: unknown
  abstract readonly integrations: unknown
  abstract readonly options: unknown

  /** The event as JSON and a newline, UTF-8. @throws what JSON.stringify throws */
  abstract toLine(): Buffer

  /** The whole event, a plain object. */
  abstract toJSON(): SegmentEvent
}

/** An event as Segment's libraries make it. Only what routing and delivery look at is named here. */
export interface SegmentEvent {
  readonly type?: unknown
  readonly event?: unknown
  readonly messageId?: unknown
  readonly integrations?: unknown
  readonly context?: unknown
  readonly userId?: unknown
  readonly anonymousId?: unknown
}

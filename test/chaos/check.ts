import type { Tally } from './tally.js'

/** What was sent, and what was seen of it. */
export interface Evidence {
  /** The streams that each event belongs in, by `messageId`; none for an event that is invalid. */
  readonly sent: ReadonlyMap<string, readonly string[]>
  /** Events whose request was answered 200. */
  readonly acked: Iterable<string>
  /** Events whose request was sent more than once. */
  readonly resent: ReadonlySet<string>
  /** What Firehose took. */
  readonly taken: Tally
  /** By the stream that did not take it; `''` where the event got to none. */
  readonly deadLettered: Tally
}

/** An event and a stream. */
export type Place = readonly [messageId: string, stream: string]

export interface Findings {
  /** Acknowledged, and neither taken by a stream it belongs in nor a dead letter. */
  readonly missing: readonly Place[]
  /** Taken by a stream, or a dead letter, that was never sent there. */
  readonly neverSent: readonly Place[]
  readonly duplicates: {
    /** Arrivals beyond the first. */
    readonly count: number
    /** Of these: the client sent the request again. The others were sent again by the server. */
    readonly ofResent: number
  }
}

const NOWHERE = ''

/** Whether every promise was kept. */
export function check({ sent, acked, resent, taken, deadLettered }: Evidence): Findings {
  const missing: Place[] = []
  for (const id of acked) {
    const streams = sent.get(id) ?? []
    const places = streams.length > 0 ? streams : [NOWHERE]
    for (const stream of places) {
      const arrivals =
        taken.count(stream, id) + deadLettered.count(stream, id) + deadLettered.count(NOWHERE, id)
      if (arrivals === 0) missing.push([id, stream])
    }
  }

  const neverSent: Place[] = []
  let count = 0
  let ofResent = 0
  for (const { stream, messageId, count: times } of taken) {
    if (!sent.get(messageId)?.includes(stream)) neverSent.push([messageId, stream])
    count += times - 1
    if (resent.has(messageId)) ofResent += times - 1
  }
  for (const { stream, messageId } of deadLettered) {
    const streams = sent.get(messageId)
    if (streams === undefined || (stream !== NOWHERE && !streams.includes(stream)))
      neverSent.push([messageId, stream])
  }
  return { missing, neverSent, duplicates: { count, ofResent } }
}

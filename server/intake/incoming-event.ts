import { type SegmentEvent, WritableEvent } from '../../plugin/event.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { BodyText } from './body-text.js'
import { type Changes, normalized } from './normalize.js'
import { splice } from './splice.js'

const NO_BYTES = new Uint8Array(0)

/** Where the event stands in the text of its request. */
export interface Place {
  /** `undefined` where the request was read by others. */
  readonly text: BodyText | undefined
  /** In the array of events. */
  readonly index: number
}

/**
 * An event of a request, as downstream tables see it. Written of the bytes that came, where that means the same as
 * what JSON.stringify makes of {@link normalized}, which is the specification.
 */
export class IncomingEvent extends WritableEvent {
  readonly type: unknown
  readonly event: unknown
  readonly messageId: unknown
  readonly integrations: unknown
  /** Let go of once it is written: the line has all of it, and may have to wait for long. */
  #source: { readonly event: JsonObject; readonly changes: Changes; readonly place: Place } | undefined
  #line: Uint8Array | undefined

  constructor(event: JsonObject, changes: Changes, place: Place) {
    super()
    const { type, messageId, integrations } = changes.members
    this.type = type
    this.event = event['event']
    this.messageId = messageId
    this.integrations = integrations ?? event['integrations']
    this.#source = { event, changes, place }
  }

  toLine(): Uint8Array {
    if (this.#line !== undefined || this.#source === undefined) return this.#line ?? NO_BYTES
    const { event, changes, place } = this.#source
    const { text, index } = place
    const spans = text?.spans?.[index]
    const spliced = spans && text && splice(event, changes, spans, text)
    this.#line = spliced ?? Buffer.from(`${JSON.stringify(normalized(event, changes))}\n`)
    this.#source = undefined
    return this.#line
  }

  toJSON(): SegmentEvent {
    if (this.#source !== undefined) return normalized(this.#source.event, this.#source.changes)
    const event: unknown = JSON.parse(Buffer.from(this.#line ?? NO_BYTES).toString())
    return isJsonObject(event) ? event : {}
  }
}

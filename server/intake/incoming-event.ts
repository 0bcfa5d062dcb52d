import { type SegmentEvent, WritableEvent } from '../../plugin/event.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { BodyText } from './body-text.js'
import { type Changes, normalized } from './normalize.js'
import { splice } from './splice.js'

const NO_BYTES = new Uint8Array(0)

/**
 * An event of a request, as downstream tables see it. Written of the bytes that came, where that means the same as
 * what JSON.stringify makes of {@link normalized}, which is the specification.
 */
export class IncomingEvent extends WritableEvent {
  readonly #index: number
  /** These are let go of once it is written: the line has all of it, and may have to wait for long. */
  #source: JsonObject | undefined
  #changes: Changes | undefined
  #text: BodyText | undefined
  #line: Uint8Array | undefined

  /**
   * @param text - of the request; `undefined` where that was read by others
   * @param index - in the request's array of events
   */
  constructor(event: JsonObject, changes: Changes, text: BodyText | undefined, index: number) {
    super()
    this.#source = event
    this.#changes = changes
    this.#text = text
    this.#index = index
  }

  get type(): unknown {
    return this.#member('type')
  }

  get event(): unknown {
    return this.#member('event')
  }

  get messageId(): unknown {
    return this.#member('messageId')
  }

  get integrations(): unknown {
    return this.#member('integrations')
  }

  get options(): unknown {
    return this.#member('options')
  }

  toLine(): Uint8Array {
    if (this.#source === undefined || this.#changes === undefined) return this.#line ?? NO_BYTES
    const spans = this.#text?.spans?.[this.#index]
    const spliced = spans && this.#text && splice(this.#source, this.#changes, spans, this.#text)
    this.#line = spliced ?? Buffer.from(`${JSON.stringify(normalized(this.#source, this.#changes))}\n`)
    this.#source = undefined
    this.#changes = undefined
    this.#text = undefined
    return this.#line
  }

  toJSON(): SegmentEvent {
    if (this.#source !== undefined && this.#changes !== undefined) {
      return normalized(this.#source, this.#changes)
    }
    const event: unknown = JSON.parse(Buffer.from(this.#line ?? NO_BYTES).toString())
    return isJsonObject(event) ? event : {}
  }

  #member(key: keyof SegmentEvent): unknown {
    if (this.#source === undefined || this.#changes === undefined) return this.toJSON()[key]
    return this.#changes.members[key] ?? this.#source[key]
  }
}

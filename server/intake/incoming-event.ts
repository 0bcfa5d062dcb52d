import { heldBytes } from '../../plugin/delivery/held-bytes.js'
import { type SegmentEvent, WritableEvent } from '../../plugin/event.js'
import type { JsonObject } from '../json-object.js'

const NEWLINE_BYTES = 1

export interface IncomingEventMembers {
  readonly type: unknown
  /** The name of a track event; empty where there is none. */
  readonly event: string
  readonly messageId: unknown
  readonly integrations: unknown
  readonly options: unknown
}

/** Text of an event that `heldBytes` counts with its line. */
const USUAL_LENGTH = 128

function beyondUsual(text: unknown): number {
  return typeof text === 'string' && text.length > USUAL_LENGTH ? text.length : 0
}

/** An event of a request in the form that downstream tables see. Its line is written when it is made. */
export class IncomingEvent extends WritableEvent {
  readonly type: unknown
  readonly event: string
  readonly messageId: unknown
  readonly integrations: unknown
  readonly options: unknown
  readonly #line: Buffer

  constructor({ type, event, messageId, integrations, options }: IncomingEventMembers, line: Buffer) {
    super()
    this.type = type
    this.event = event
    this.messageId = messageId
    this.integrations = integrations
    this.options = options
    this.#line = line
  }

  /** The memory that it takes, in bytes. */
  get heldBytes(): number {
    return heldBytes(this.#line) + beyondUsual(this.event) + beyondUsual(this.messageId)
  }

  toLine(): Buffer {
    return this.#line
  }

  toJSON(): SegmentEvent {
    const text = this.#line.toString('utf8', 0, this.#line.length - NEWLINE_BYTES)
    return JSON.parse(text) as JsonObject as SegmentEvent
  }
}

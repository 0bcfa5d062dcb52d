import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../../plugin/json/json-bytes.js'
import { skipSpace, stringsUnder } from '../../plugin/json/json-spans.js'
import type { Slices } from '../../plugin/slices.js'
import { MAX_BATCH_EVENTS } from './body-scanner.js'
import { afterSeparators, endOfBrokenString } from './broken-json.js'
import { JsonAttempts } from './json-attempts.js'
import { isEventType } from './validate-event.js'

/** Whole members of a broken batch beside its events; the batches of real libraries have five. */
const MAX_MEMBERS = 1_000

/** A stretch of a body that cannot be read. */
export interface BrokenPiece {
  readonly start: number
  end: number
  /** The first byte that cannot be part of valid JSON. */
  readonly position: number
}

export interface RecoveredBody {
  /** Bodies of whole events, valid JSON: what came less what is broken. */
  readonly documents: readonly Buffer[]
  readonly broken: readonly BrokenPiece[]
}

/**
 * Finds the whole events in a body that is not valid JSON: in its `batch`, in an array, or as objects one after the
 * other. Time and memory grow with the size of the body, whatever it holds.
 *
 * @param takesBatch - whether a member `batch` of the body holds events
 * @returns `undefined` where it holds more than {@link MAX_BATCH_EVENTS}
 */
export function recoverBody(bytes: Buffer, takesBatch: boolean): Slices<RecoveredBody | undefined> {
  return new Recovery(bytes, takesBatch).recovered()
}

class Recovery {
  readonly #bytes: Buffer
  readonly #takesBatch: boolean
  readonly #attempts: JsonAttempts
  readonly #documents: Buffer[] = []
  readonly #broken: BrokenPiece[] = []
  #at = 0
  /** Objects that may be events. */
  #count = 0

  constructor(bytes: Buffer, takesBatch: boolean) {
    this.#bytes = bytes
    this.#takesBatch = takesBatch
    this.#attempts = new JsonAttempts(bytes, (start) => this.#giveUp(start))
  }

  *recovered(): Slices<RecoveredBody | undefined> {
    for (let byte = this.#skipSeparators(); byte !== undefined; byte = this.#skipSeparators()) {
      if (this.#attempts.isPauseDue(this.#at)) yield
      if (byte === OPEN_BRACE) yield* this.#document()
      else if (byte === OPEN_BRACKET && this.#takesBatch) yield* this.#array()
      else this.#breakUntil(this.#at, this.#nextOpening(this.#at + 1))
      if (this.#count > MAX_BATCH_EVENTS) return undefined
    }
    return { documents: this.#documents, broken: this.#broken }
  }

  /** The rest of the body is one broken piece. */
  #giveUp(start: number): void {
    this.#addBroken(start, this.#bytes.length, this.#attempts.lastPosition)
    this.#at = this.#bytes.length
  }

  *#array(): Slices<void> {
    const events = yield* this.#elements()
    if (events.length > 0) this.#documents.push(Buffer.concat([text('['), ...joined(events), text(']')]))
  }

  /** An object at the top: a batch, or an event of its own. */
  *#document(): Slices<void> {
    const start = this.#at
    const whole = yield* this.#attempts.strictEnd(start)
    if (whole !== undefined) {
      this.#count++
      this.#documents.push(this.#bytes.subarray(start, whole))
      this.#at = whole
      return
    }
    const failures = this.#broken.length
    const position = this.#attempts.lastPosition
    const members = this.#takesBatch ? yield* this.#members() : undefined
    if (members?.batch !== undefined) return this.#addBatch(members.others, members.batch)
    // An event that is broken somewhere is broken as a whole.
    this.#broken.length = failures
    const end = this.#attempts.isGivenUp ? undefined : yield* this.#attempts.tolerantEnd(start)
    this.#addBroken(start, end ?? this.#bytes.length, position)
    this.#at = end ?? this.#bytes.length
  }

  #addBatch(others: readonly Buffer[], batch: readonly Buffer[]): void {
    if (batch.length === 0) return
    const events = [text('"batch":['), ...joined(batch), text(']')]
    const before = others.flatMap((member) => [member, text(',')])
    this.#documents.push(Buffer.concat([text('{'), ...before, ...events, text('}')]))
  }

  /** The whole members of a broken object, and the whole elements of its batch. */
  *#members(): Slices<{ readonly others: Buffer[]; readonly batch: Buffer[] | undefined }> {
    const others: Buffer[] = []
    let batch: Buffer[] | undefined
    this.#at++
    for (let byte = this.#skipSeparators(); byte !== undefined; byte = this.#skipSeparators()) {
      if (this.#attempts.isPauseDue(this.#at)) yield
      if (byte === CLOSE_BRACE) {
        this.#at++
        break
      }
      if (others.length > MAX_MEMBERS || this.#count > MAX_BATCH_EVENTS) break
      const start = this.#at
      const value = byte === QUOTE ? yield* this.#valueOfMember() : undefined
      if (value === undefined) yield* this.#breakValue(start)
      else if (value.key === 'batch' && this.#bytes[value.start] === OPEN_BRACKET) {
        this.#at = value.start
        batch = yield* this.#elements()
      } else {
        const end = yield* this.#attempts.strictEnd(value.start)
        if (end === undefined || !this.#isEndOfMember(end)) yield* this.#breakValue(start, value.start)
        else {
          others.push(this.#bytes.subarray(start, end))
          this.#at = end
        }
      }
    }
    return { others, batch }
  }

  /** `2026-01-01` begins with a number, but it is none. */
  #isEndOfMember(at: number): boolean {
    const byte = this.#bytes[afterSeparators(this.#bytes, at, false)]
    return byte === undefined || byte === COMMA || byte === CLOSE_BRACE || byte === QUOTE
  }

  /** The key that begins here and where its value begins. */
  *#valueOfMember(): Slices<{ readonly key: unknown; readonly start: number } | undefined> {
    const endOfKey = yield* this.#attempts.strictEnd(this.#at)
    if (endOfKey === undefined) return undefined
    const colon = skipSpace(this.#bytes, endOfKey)
    if (this.#bytes[colon] !== COLON) return undefined
    const key: unknown = JSON.parse(this.#bytes.toString('utf8', this.#at, endOfKey))
    return { key, start: skipSpace(this.#bytes, colon + 1) }
  }

  /** The whole objects of the array that begins here. */
  *#elements(): Slices<Buffer[]> {
    const events: Buffer[] = []
    this.#at++
    for (let byte = this.#skipSeparators(); byte !== undefined; byte = this.#skipSeparators()) {
      if (this.#attempts.isPauseDue(this.#at)) yield
      if (byte === CLOSE_BRACE || this.#count > MAX_BATCH_EVENTS) break
      if (byte === CLOSE_BRACKET) {
        this.#at++
        break
      }
      const start = this.#at
      const end = yield* this.#attempts.strictEnd(start)
      if (end === undefined) yield* this.#breakElement(start)
      else {
        if (byte === OPEN_BRACE) {
          this.#count++
          events.push(this.#bytes.subarray(start, end))
        } else this.#addBroken(start, end, start)
        this.#at = end
      }
    }
    return events
  }

  *#breakElement(start: number): Slices<void> {
    const position = this.#attempts.lastPosition
    const end =
      this.#bytes[start] === OPEN_BRACE
        ? yield* this.#attempts.tolerantEnd(start)
        : yield* this.#endOfJunk(start)
    this.#breakUntil(start, end ?? (yield* this.#nextEvent(Math.max(position, start + 1))), position)
  }

  *#breakValue(start: number, value = start): Slices<void> {
    this.#breakUntil(start, yield* this.#endOfJunk(value), this.#attempts.lastPosition)
  }

  #breakUntil(start: number, end: number, position = start): void {
    if (this.#attempts.isGivenUp) return
    this.#addBroken(start, end, position)
    this.#at = end
  }

  /** Pieces with nothing but separators between them are one. */
  #addBroken(start: number, end: number, position: number): void {
    const last = this.#broken.at(-1)
    if (last !== undefined && afterSeparators(this.#bytes, last.end) >= start)
      last.end = Math.max(end, last.end)
    else this.#broken.push({ start, end, position })
  }

  /** Where what is no value ends: before the next comma or closing bracket outside strings and brackets. */
  *#endOfJunk(start: number): Slices<number> {
    for (let at = start; at < this.#bytes.length; at++) {
      if (this.#attempts.isPauseDue(at)) yield
      const byte = this.#bytes[at]
      if (byte === QUOTE) at = endOfBrokenString(this.#bytes, at) - 1
      else if (byte === OPEN_BRACE && at > start && (yield* this.#isEvent(at))) return at
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        const end = yield* this.#attempts.tolerantEnd(at)
        if (end === undefined) return yield* this.#nextEvent(at + 1)
        at = end - 1
      } else if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET)
        return Math.max(at, start + 1)
    }
    return this.#bytes.length
  }

  /** Where the next object begins that is whole and looks like an event. */
  *#nextEvent(start: number): Slices<number> {
    for (
      let at = this.#bytes.indexOf(OPEN_BRACE, start);
      at >= 0;
      at = this.#bytes.indexOf(OPEN_BRACE, at + 1)
    ) {
      if (this.#attempts.isPauseDue(at)) yield
      if (yield* this.#isEvent(at)) return at
      if (this.#attempts.isGivenUp) break
    }
    return this.#bytes.length
  }

  /** Whether what begins here is whole and looks like an event. */
  *#isEvent(start: number): Slices<boolean> {
    const end = yield* this.#attempts.strictEnd(start)
    if (end === undefined) return false
    if (stringsUnder('type', this.#bytes, start).some(isEventType)) return true
    this.#attempts.waste(end - start, start)
    return false
  }

  #nextOpening(start: number): number {
    for (let at = start; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at]
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) return at
    }
    return this.#bytes.length
  }

  /** Returns the byte after separators, `undefined` at the end. */
  #skipSeparators(): number | undefined {
    this.#at = afterSeparators(this.#bytes, this.#at)
    return this.#bytes[this.#at]
  }
}

function text(literal: string): Buffer {
  return Buffer.from(literal)
}

function joined(parts: readonly Buffer[]): Buffer[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [text(','), part]))
}

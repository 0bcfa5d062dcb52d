import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from '../../plugin/json/json-bytes.js'
import { JsonScanner } from '../../plugin/json/json-scanner.js'
import { membersOf, skipSpace } from '../../plugin/json/json-spans.js'
import { JsonSyntaxError } from '../../plugin/json/json-syntax-error.js'
import { afterSeparators, endByBrackets, endOfBrokenString } from './broken-json.js'
import { isEventType } from './validate-event.js'

/** A body with more broken places is not looked through any further: the rest of it is one broken piece. */
const MAX_FAILURES = 500
/** Bytes that may be scanned again, as a multiple of the body. */
const MAX_RESCANS = 4

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
 * other. Time grows with the size of the body, whatever it holds.
 *
 * @param takesBatch - whether a member `batch` of the body holds events
 */
export function recoverBody(bytes: Buffer, takesBatch: boolean): RecoveredBody {
  return new Recovery(bytes, takesBatch).recovered()
}

class Recovery {
  readonly #bytes: Buffer
  readonly #takesBatch: boolean
  readonly #scanner = new JsonScanner()
  readonly #documents: Buffer[] = []
  readonly #broken: BrokenPiece[] = []
  #at = 0
  #failures = 0
  #rescanned = 0
  #isGivenUp = false
  /** Of the failure before. */
  #lastPosition = 0

  constructor(bytes: Buffer, takesBatch: boolean) {
    this.#bytes = bytes
    this.#takesBatch = takesBatch
  }

  recovered(): RecoveredBody {
    for (let byte = this.#skipSeparators(); byte !== undefined; byte = this.#skipSeparators()) {
      if (byte === OPEN_BRACE) this.#document()
      else if (byte === OPEN_BRACKET && this.#takesBatch) this.#array()
      else this.#breakUntil(this.#at, this.#nextOpening(this.#at + 1))
    }
    return { documents: this.#documents, broken: this.#broken }
  }

  #array(): void {
    const events = this.#elements()
    if (events.length > 0) this.#documents.push(Buffer.concat([text('['), ...joined(events), text(']')]))
  }

  /** An object at the top: a batch, or an event of its own. */
  #document(): void {
    const start = this.#at
    const whole = this.#strictEnd(start)
    if (whole !== undefined) {
      this.#documents.push(this.#bytes.subarray(start, whole))
      this.#at = whole
      return
    }
    const failures = this.#broken.length
    const position = this.#lastPosition
    const members = this.#takesBatch ? this.#members() : undefined
    if (members?.batch !== undefined) return this.#addBatch(members.others, members.batch)
    // An event that is broken somewhere is broken as a whole.
    this.#broken.length = failures
    const end = this.#isGivenUp ? undefined : this.#tolerantEnd(start)
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
  #members(): { readonly others: Buffer[]; readonly batch: Buffer[] | undefined } {
    const others: Buffer[] = []
    let batch: Buffer[] | undefined
    this.#at++
    for (let byte = this.#skipSeparators(); byte !== undefined; byte = this.#skipSeparators()) {
      if (byte === CLOSE_BRACE) {
        this.#at++
        break
      }
      const start = this.#at
      const value = byte === QUOTE ? this.#valueOfMember() : undefined
      if (value === undefined) this.#breakValue(start)
      else if (value.key === 'batch' && this.#bytes[value.start] === OPEN_BRACKET) {
        this.#at = value.start
        batch = this.#elements()
      } else {
        const end = this.#strictEnd(value.start)
        if (end === undefined || !this.#isEndOfMember(end)) this.#breakValue(start, value.start)
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
  #valueOfMember(): { readonly key: unknown; readonly start: number } | undefined {
    const endOfKey = this.#strictEnd(this.#at)
    if (endOfKey === undefined) return undefined
    const colon = skipSpace(this.#bytes, endOfKey)
    if (this.#bytes[colon] !== COLON) return undefined
    const key: unknown = JSON.parse(this.#bytes.toString('utf8', this.#at, endOfKey))
    return { key, start: skipSpace(this.#bytes, colon + 1) }
  }

  /** The whole objects of the array that begins here. */
  #elements(): Buffer[] {
    const events: Buffer[] = []
    this.#at++
    for (let byte = this.#skipSeparators(); byte !== undefined; byte = this.#skipSeparators()) {
      if (byte === CLOSE_BRACE) break
      if (byte === CLOSE_BRACKET) {
        this.#at++
        break
      }
      const start = this.#at
      const end = this.#strictEnd(start)
      if (end === undefined) this.#breakElement(start)
      else {
        if (byte === OPEN_BRACE) events.push(this.#bytes.subarray(start, end))
        else this.#addBroken(start, end, start)
        this.#at = end
      }
    }
    return events
  }

  #breakElement(start: number): void {
    const position = this.#lastPosition
    const end = this.#bytes[start] === OPEN_BRACE ? this.#tolerantEnd(start) : this.#endOfJunk(start)
    this.#breakUntil(start, end ?? this.#nextEvent(Math.max(position, start + 1)), position)
  }

  #breakValue(start: number, value = start): void {
    this.#breakUntil(start, this.#endOfJunk(value), this.#lastPosition)
  }

  /** Where the value that begins here ends, if it is valid. */
  #strictEnd(start: number): number | undefined {
    try {
      return this.#scanner.endOfValue(this.#bytes, start)
    } catch (error) {
      if (!(error instanceof JsonSyntaxError)) throw error
      this.#lastPosition = error.position
      this.#failures++
      this.#spend(error.position - start, start)
      return undefined
    }
  }

  /**
   * Counts bytes that were looked at in vain. Where they become too many, the rest of the body is one broken piece.
   *
   * SECURITY: without this, time would grow with the square of the body's size.
   */
  #spend(bytes: number, start: number): void {
    this.#rescanned += bytes
    const isTooMuch = this.#failures > MAX_FAILURES || this.#rescanned > MAX_RESCANS * this.#bytes.length
    if (!isTooMuch || this.#isGivenUp) return
    this.#addBroken(start, this.#bytes.length, this.#lastPosition)
    this.#isGivenUp = true
    this.#at = this.#bytes.length
  }

  #breakUntil(start: number, end: number, position = start): void {
    if (this.#isGivenUp) return
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

  /**
   * Where the object that begins here ends, by its brackets and strings alone; `undefined` where they do not fit
   * together.
   */
  #tolerantEnd(start: number): number | undefined {
    const end = endByBrackets(this.#bytes, start)
    if (end === undefined) this.#spend(this.#bytes.length - start, start)
    return end
  }

  /** Where what is no value ends: before the next comma or closing bracket outside strings and brackets. */
  #endOfJunk(start: number): number {
    for (let at = start; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at]
      if (byte === QUOTE) at = endOfBrokenString(this.#bytes, at) - 1
      else if (byte === OPEN_BRACE && at > start && this.#isEvent(at)) return at
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        const end = this.#tolerantEnd(at)
        if (end === undefined) return this.#nextEvent(at + 1)
        at = end - 1
      } else if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET)
        return Math.max(at, start + 1)
    }
    return this.#bytes.length
  }

  /** Where the next object begins that is whole and looks like an event. */
  #nextEvent(start: number): number {
    for (
      let at = this.#bytes.indexOf(OPEN_BRACE, start);
      at >= 0;
      at = this.#bytes.indexOf(OPEN_BRACE, at + 1)
    ) {
      if (this.#isEvent(at)) return at
      if (this.#isGivenUp) break
    }
    return this.#bytes.length
  }

  /** Whether what begins here is whole and looks like an event. */
  #isEvent(start: number): boolean {
    const end = this.#strictEnd(start)
    if (end === undefined) return false
    if (looksLikeEvent(this.#bytes, start)) return true
    this.#spend(end - start, start)
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

function looksLikeEvent(bytes: Buffer, start: number): boolean {
  return membersOf(bytes, start).some(
    ({ key, valueStart, valueEnd }) =>
      key === 'type' &&
      bytes[valueStart] === QUOTE &&
      isEventType(JSON.parse(bytes.toString('utf8', valueStart, valueEnd))),
  )
}

function text(literal: string): Buffer {
  return Buffer.from(literal)
}

function joined(parts: readonly Buffer[]): Buffer[] {
  return parts.flatMap((part, i) => (i === 0 ? [part] : [text(','), part]))
}

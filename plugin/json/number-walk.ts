import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  LOWER_N,
  MINUS,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  ZERO,
} from './json-bytes.js'
import { endOfString, endOfValue, skipSpace, stringAt } from './json-spans.js'

/** The key of a member, or the index of an element. */
export type Step = string | number

/** What a {@link NumberWalk} comes by. */
export interface NumberVisitor {
  /** An object or array begins. */
  opened(isArray: boolean): void
  /** The innermost one ends. @param count - of an array: how many elements it has */
  closed(count: number): void
  /** A number, or a `null`, which JSON.stringify writes for a number that no double holds. */
  number(start: number, end: number): void
}

/** Goes through valid JSON, an object or array, for its numbers. It makes no value of it and does not recurse. */
export class NumberWalk {
  readonly #json: Buffer
  /**
   * Where it is in each of the objects and arrays that are open: the index of an element, or for a member -1 less the
   * place of its key.
   */
  readonly #places: number[] = []

  constructor(json: Buffer) {
    this.#json = json
  }

  /** How many objects and arrays are open. */
  get depth(): number {
    return this.#places.length
  }

  /** What leads on from the object or array at this depth, from 1, to where it is now. */
  step(depth: number): Step {
    const place = this.#places[depth - 1] as number
    if (place >= 0) return place
    const start = -1 - place
    return stringAt(this.#json, start, endOfString(this.#json, start))
  }

  go(visitor: NumberVisitor): void {
    const json = this.#json
    let isKeyNext = false
    for (let at = skipSpace(json, 0); at < json.length; at = skipSpace(json, at)) {
      const byte = json[at] as number
      if (byte === QUOTE) {
        if (isKeyNext) this.#places[this.depth - 1] = -1 - at
        isKeyNext = false
        at = endOfString(json, at)
      } else if (byte === MINUS || byte === LOWER_N || (byte >= ZERO && byte <= NINE)) {
        const end = endOfValue(json, at)
        visitor.number(at, end)
        at = end
      } else {
        isKeyNext = this.#bracketOrComma(byte, visitor)
        at++
      }
    }
  }

  /** Returns whether a key comes next. */
  #bracketOrComma(byte: number, visitor: NumberVisitor): boolean {
    const last = this.depth - 1
    switch (byte) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        visitor.opened(byte === OPEN_BRACKET)
        this.#places.push(byte === OPEN_BRACE ? -1 : 0)
        return byte === OPEN_BRACE
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        visitor.closed((this.#places[last] as number) + 1)
        this.#places.pop()
        return false
      case COMMA:
        if ((this.#places[last] as number) < 0) return true
        ;(this.#places[last] as number)++
    }
    return false
  }
}

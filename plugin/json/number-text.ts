import { MINUS, NINE, ZERO } from './json-bytes.js'
import { type NumberVisitor, NumberWalk, type Step } from './number-walk.js'

/** SECURITY: each takes far more memory than its digits did. */
const MAX_ODD_NUMBERS = 50_000

/** JavaScript writes integers of no more digits as they came. */
const SAFE_DIGITS = 15

/** A number that JSON.stringify would write with other digits. */
interface OddNumber {
  /** The digits that came. */
  readonly text: string
  /** What JavaScript makes of them. */
  readonly value: number
}

/** The odd numbers in an object or array, by what leads to them. */
export class OddNumbers {
  readonly isArray: boolean
  /** Of an array: how many elements it has. */
  length = 0
  readonly own = new Map<Step, OddNumber>()
  /** Those in the objects and arrays within. */
  readonly inner = new Map<Step, OddNumbers>()

  constructor(isArray: boolean) {
    this.isArray = isArray
  }

  /** Whether they can be those of this value: an object, or an array of the same length. */
  suit(value: unknown, isArray: boolean): boolean {
    if (this.isArray !== isArray || typeof value !== 'object' || value === null) return false
    return isArray ? Array.isArray(value) && value.length === this.length : !Array.isArray(value)
  }
}

/**
 * The numbers in JSON whose digits do not survive the way through JavaScript: `9007199254740993`, `1.0`, `1e999`. Of
 * more than 50,000 of them, counted with the objects and arrays that hold them, the rest is left out.
 *
 * @param json - an object or array; valid JSON in which no key comes twice
 * @returns `undefined` where there are none
 */
export function oddNumbersIn(json: Buffer): OddNumbers | undefined {
  const walk = new NumberWalk(json)
  const collector = new Collector(json, walk)
  walk.go(collector)
  return collector.root
}

/**
 * Writes a value as JSON, with the digits that came for each number that is the same at its path, in arrays of the
 * same length.
 *
 * @throws what JSON.stringify throws
 */
export function stringifyWithNumbers(value: object, odd: OddNumbers | undefined): string | undefined {
  const text = JSON.stringify(value)
  // A `toJSON` may make anything of it.
  if (text === undefined || odd === undefined || !/^[{[]/.test(text)) return text
  const json = Buffer.from(text)
  const walk = new NumberWalk(json)
  const restorer = new Restorer(json, walk, { value, odd })
  walk.go(restorer)
  return restorer.written()
}

/** Makes {@link OddNumbers}, of the objects and arrays alone that have some. */
class Collector implements NumberVisitor {
  readonly #json: Buffer
  readonly #walk: NumberWalk
  /** By depth. */
  readonly #open: { readonly isArray: boolean; odd: OddNumbers | undefined }[] = []
  #count = 0
  root: OddNumbers | undefined

  constructor(json: Buffer, walk: NumberWalk) {
    this.#json = json
    this.#walk = walk
  }

  opened(isArray: boolean): void {
    this.#open.push({ isArray, odd: undefined })
  }

  closed(count: number): void {
    const odd = this.#open.pop()?.odd
    if (odd !== undefined) odd.length = count
  }

  number(start: number, end: number): void {
    if (this.#count >= MAX_ODD_NUMBERS || isPlain(this.#json, start, end)) return
    const text = this.#json.toString('latin1', start, end)
    const value = text === 'null' ? undefined : Number(text)
    if (value === undefined || JSON.stringify(value) === text) return
    this.#count++
    this.#innermost().own.set(this.#walk.step(this.#walk.depth), { text, value })
  }

  #innermost(): OddNumbers {
    const open = this.#open
    let known = open.length - 1
    while (known >= 0 && open[known]?.odd === undefined) known--
    for (let i = known + 1; i < open.length; i++) {
      const odd = new OddNumbers(open[i]?.isArray === true)
      this.#count++
      if (i === 0) this.root = odd
      else open[i - 1]?.odd?.inner.set(this.#walk.step(i), odd)
      ;(open[i] as { odd: OddNumbers }).odd = odd
    }
    return open.at(-1)?.odd as OddNumbers
  }
}

/** An object or array, and the odd numbers that came in its place. */
interface Known {
  readonly value: object
  readonly odd: OddNumbers
}

/** Puts the digits that came in place of those that JSON.stringify wrote. */
class Restorer implements NumberVisitor {
  readonly #json: Buffer
  readonly #walk: NumberWalk
  readonly #root: Known
  /** By depth; `undefined` where nothing is known. */
  readonly #open: (Known | undefined)[] = []
  readonly #pieces: string[] = []
  #from = 0

  constructor(json: Buffer, walk: NumberWalk, root: Known) {
    this.#json = json
    this.#walk = walk
    this.#root = root
  }

  opened(isArray: boolean): void {
    const known = this.#walk.depth === 0 ? this.#root : this.#knownAt(this.#walk.depth)
    this.#open.push(known?.odd.suit(known.value, isArray) === true ? known : undefined)
  }

  closed(): void {
    this.#open.pop()
  }

  number(start: number, end: number): void {
    const known = this.#open.at(-1)
    if (known === undefined || known.odd.own.size === 0) return
    const step = this.#walk.step(this.#walk.depth)
    const number = known.odd.own.get(step)
    if (number === undefined || !Object.is(ownValue(known.value, step), number.value)) return
    // A `toJSON` may have put something else there.
    if (this.#json.toString('latin1', start, end) !== JSON.stringify(number.value)) return
    this.#pieces.push(this.#json.toString('utf8', this.#from, start), number.text)
    this.#from = end
  }

  written(): string {
    return this.#pieces.join('') + this.#json.toString('utf8', this.#from)
  }

  #knownAt(depth: number): Known | undefined {
    const around = this.#open.at(-1)
    if (around === undefined || around.odd.inner.size === 0) return undefined
    const step = this.#walk.step(depth)
    const odd = around.odd.inner.get(step)
    return odd && { odd, value: ownValue(around.value, step) as object }
  }
}

function ownValue(object: object, step: Step): unknown {
  return Object.hasOwn(object, step) ? (object as Record<Step, unknown>)[step] : undefined
}

/** Whether it is an integer that JavaScript writes with the same digits; -0 is none. */
function isPlain(json: Buffer, start: number, end: number): boolean {
  const first = json[start] === MINUS ? start + 1 : start
  if (end - first > SAFE_DIGITS || (json[first] === ZERO && first > start)) return false
  for (let at = first; at < end; at++) {
    const byte = json[at] as number
    if (byte < ZERO || byte > NINE) return false
  }
  return true
}

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
import { endOfString, endOfValue, skipSpace } from './json-spans.js'

/** SECURITY: each takes far more memory than its digits did. */
const MAX_ODD_NUMBERS = 50_000

/** Keys of members, and indexes of elements with how many there are. */
type Path = readonly (string | Element)[]

interface Element {
  readonly index: number
  readonly length: number
}

/** A number that JSON.stringify would write with other digits. */
export interface OddNumber {
  readonly path: Path
  /** The digits that came. */
  readonly text: string
  /** What JavaScript makes of them. */
  readonly value: number
}

/**
 * The numbers in JSON whose digits do not survive the way through JavaScript: `9007199254740993`, `1.0`, `1e999`. Of
 * more than 50,000 the rest is left out.
 *
 * @param json - valid JSON in which no key comes twice
 */
export function oddNumbersIn(json: Buffer): readonly OddNumber[] {
  const odd: { path: readonly Step[]; text: string; value: number }[] = []
  walkNumbers(json, (start, end, open) => {
    if (odd.length === MAX_ODD_NUMBERS) return
    const text = json.toString('latin1', start, end)
    const value = text === 'null' ? undefined : Number(text)
    if (value !== undefined && JSON.stringify(value) !== text) odd.push({ path: snapshot(open), text, value })
  })
  // The lengths of arrays are known only now.
  return odd.map(({ path, text, value }) => ({ path: path.map(pathStep), text, value }))
}

/**
 * Writes a value as JSON, with the digits that came for each number that is the same at its path, in arrays of the
 * same length.
 *
 * @throws what JSON.stringify throws
 */
export function stringifyWithNumbers(value: object, odd: readonly OddNumber[]): string | undefined {
  const json = JSON.stringify(value)
  if (json === undefined || odd.length === 0) return json
  const texts = new Map<string, OddNumber>()
  for (const number of odd) {
    if (Object.is(valueAt(value, number.path), number.value)) texts.set(keyOf(number.path), number)
  }
  return texts.size === 0 ? json : withTexts(Buffer.from(json), texts)
}

function withTexts(json: Buffer, texts: ReadonlyMap<string, OddNumber>): string {
  const pieces: string[] = []
  let from = 0
  walkNumbers(json, (start, end, open) => {
    const number = texts.get(keyOf(open.map(pathStep)))
    // A `toJSON` may have put something else there.
    if (number === undefined || json.toString('latin1', start, end) !== JSON.stringify(number.value)) return
    pieces.push(json.toString('utf8', from, start), number.text)
    from = end
  })
  pieces.push(json.toString('utf8', from))
  return pieces.join('')
}

function keyOf(path: Path): string {
  return JSON.stringify(path.map((step) => (typeof step === 'string' ? step : step.index)))
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    if (typeof step !== 'string') {
      if (!Array.isArray(value) || value.length !== step.length) return undefined
      value = value[step.index]
    } else value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined
  }
  return value
}

/** A container that is open, and the member or element of it that is being read. */
type Step = { key: string } | { index: number; readonly array: { length: number } }

function snapshot(open: readonly Step[]): readonly Step[] {
  return open.map((step) => ({ ...step }))
}

function pathStep(step: Step): string | Element {
  return 'key' in step ? step.key : { index: step.index, length: step.array.length }
}

/** Calls back for each number, and for each `null`, which JSON.stringify writes for a number that no double holds. */
function walkNumbers(json: Buffer, visit: (start: number, end: number, open: readonly Step[]) => void): void {
  const open: Step[] = []
  let isKeyNext = false
  for (let at = skipSpace(json, 0); at < json.length; at = skipSpace(json, at)) {
    const byte = json[at] as number
    const last = open.at(-1)
    if (byte === QUOTE) {
      const end = endOfString(json, at)
      if (isKeyNext && last !== undefined && 'key' in last)
        last.key = JSON.parse(json.toString('utf8', at, end))
      isKeyNext = false
      at = end
    } else if (byte === MINUS || byte === LOWER_N || (byte >= ZERO && byte <= NINE)) {
      const end = endOfValue(json, at)
      visit(at, end, open)
      at = end
    } else {
      if (byte === OPEN_BRACE) open.push({ key: '' })
      else if (byte === OPEN_BRACKET) open.push({ index: 0, array: { length: 0 } })
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) close(open)
      else if (byte === COMMA && last !== undefined && 'index' in last) last.index++
      isKeyNext = byte === OPEN_BRACE || (byte === COMMA && last !== undefined && 'key' in last)
      at++
    }
  }
}

function close(open: Step[]): void {
  const last = open.pop()
  if (last !== undefined && 'array' in last) last.array.length = last.index + 1
}

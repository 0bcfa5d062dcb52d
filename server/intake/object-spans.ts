import { JsonScan } from './json-scan.js'

/** Where an object stands in its text, which means the same as what JSON.stringify would write. */
export interface ObjectSpans {
  /** Of the `{`, and after the `}`. */
  readonly start: number
  readonly end: number
  /** Three numbers a member, in the order of the text: where its key begins, its value begins and its value ends. */
  readonly members: readonly number[]
}

/** Numbers a member has in {@link ObjectSpans}. */
export const SPAN = 3

const OPEN_BRACKET = '['.charCodeAt(0)
const CLOSE_BRACKET = ']'.charCodeAt(0)
const OPEN_BRACE = '{'.charCodeAt(0)
const CLOSE_BRACE = '}'.charCodeAt(0)
/** UTF-8's byte-order mark. */
const BOM = '\u00ef\u00bb\u00bf'

/**
 * The one event that a body is.
 *
 * @param text - valid JSON, an object; UTF-8 read as `latin1`
 */
export function spansOfEvent(text: string): ObjectSpans | undefined {
  const scan = new JsonScan(text)
  return spansOfObject(scan, scan.skipSpace(startOf(text)))
}

/**
 * The events of the array `batch` in a body: `undefined` for each that has to be written by JSON.stringify, and for all
 * where the array is not found beyond doubt.
 *
 * @param text - valid JSON, an object; UTF-8 read as `latin1`
 */
export function spansOfBatch(text: string): readonly (ObjectSpans | undefined)[] | undefined {
  const scan = new JsonScan(text)
  let spans: (ObjectSpans | undefined)[] | undefined
  let at = scan.skipSpace(scan.skipSpace(startOf(text)) + 1)
  while (scan.codeAt(at) !== CLOSE_BRACE) {
    const endOfKey = scan.endOfString(at)
    const key = text.slice(at, endOfKey)
    // It may be another way to write the key that is looked for.
    if (key.includes('\\')) return undefined
    const value = scan.skipSpace(scan.skipSpace(endOfKey) + 1)
    if (key !== '"batch"') at = scan.endOfValue(value)
    else {
      // Where a key comes twice JSON.parse takes the last.
      spans = []
      if (scan.codeAt(value) !== OPEN_BRACKET) return undefined
      at = readElements(scan, value, spans)
    }
    at = scan.skipComma(at)
  }
  return spans
}

/** After the array that begins here. */
function readElements(scan: JsonScan, start: number, spans: (ObjectSpans | undefined)[]): number {
  let at = scan.skipSpace(start + 1)
  while (scan.codeAt(at) !== CLOSE_BRACKET) {
    const isObject = scan.codeAt(at) === OPEN_BRACE
    const own = isObject ? spansOfObject(scan, at) : undefined
    spans.push(own)
    at = scan.skipComma(own?.end ?? scan.endOfValue(at))
  }
  return at + 1
}

/** Filled and copied from: an array that grows leaves several times its size to the garbage collector. */
const scratch: number[] = []

/** `undefined` where JSON.stringify would write the object in a way that means something else. */
function spansOfObject(scan: JsonScan, start: number): ObjectSpans | undefined {
  scan.isOdd = false
  let length = 0
  let at = scan.skipSpace(start + 1)
  while (scan.codeAt(at) !== CLOSE_BRACE) {
    const value = scan.skipSpace(scan.skipSpace(scan.endOfString(at)) + 1)
    const end = scan.endOfValue(value)
    scratch[length++] = at
    scratch[length++] = value
    scratch[length++] = end
    at = scan.skipComma(end)
  }
  return scan.isOdd ? undefined : { start, end: at + 1, members: scratch.slice(0, length) }
}

function startOf(text: string): number {
  return text.startsWith(BOM) ? BOM.length : 0
}

import { JsonScan } from './json-scan.js'
import { MemberPlaces } from './member-places.js'

/** Where an object stands in its text, which means the same as what JSON.stringify would write. */
export interface ObjectSpans {
  /** Of the `{`, and after the `}`. */
  readonly start: number
  readonly end: number
  /** Where its members stand, in the order of the text, beside those of other objects. */
  readonly places: MemberPlaces
  /** Its members are those from the first to before the end. */
  readonly firstMember: number
  readonly endMember: number
}

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
  return spansOfObject(scan, scan.skipSpace(startOf(text)), new MemberPlaces())
}

/**
 * The events of the array `batch` in a body: `undefined` for each that has to be written by JSON.stringify, and for all
 * where the array is not found beyond doubt.
 *
 * @param text - valid JSON, an object; UTF-8 read as `latin1`
 */
export function spansOfBatch(text: string): readonly (ObjectSpans | undefined)[] | undefined {
  const scan = new JsonScan(text)
  const places = new MemberPlaces()
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
      at = readElements(scan, value, { spans, places })
    }
    at = scan.skipComma(at)
  }
  return spans
}

/** After the array that begins here. */
function readElements(
  scan: JsonScan,
  start: number,
  { spans, places }: { readonly spans: (ObjectSpans | undefined)[]; readonly places: MemberPlaces },
): number {
  let at = scan.skipSpace(start + 1)
  while (scan.codeAt(at) !== CLOSE_BRACKET) {
    const isObject = scan.codeAt(at) === OPEN_BRACE
    const own = isObject ? spansOfObject(scan, at, places) : undefined
    spans.push(own)
    at = scan.skipComma(own?.end ?? scan.endOfValue(at))
  }
  return at + 1
}

/** `undefined` where JSON.stringify would write the object in a way that means something else. */
function spansOfObject(scan: JsonScan, start: number, places: MemberPlaces): ObjectSpans | undefined {
  scan.isOdd = false
  const firstMember = places.length
  let at = scan.skipSpace(start + 1)
  while (scan.codeAt(at) !== CLOSE_BRACE) {
    const value = scan.skipSpace(scan.skipSpace(scan.endOfString(at)) + 1)
    const end = scan.endOfValue(value)
    places.add(at, value, end)
    at = scan.skipComma(end)
  }
  return scan.isOdd ? undefined : { start, end: at + 1, places, firstMember, endMember: places.length }
}

function startOf(text: string): number {
  return text.startsWith(BOM) ? BOM.length : 0
}

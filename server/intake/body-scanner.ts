import { isUtf8 } from 'node:buffer'
import { canonicalJson } from '../../plugin/json/canonical-json.js'
import { CLOSE_BRACE, CLOSE_BRACKET, OPEN_BRACE, OPEN_BRACKET, QUOTE } from '../../plugin/json/json-bytes.js'
import { JsonScanner, NOTE } from '../../plugin/json/json-scanner.js'
import { KeyTable } from './key-table.js'

/** Columns of a row: where the value of a member begins; the next column says where it ends. -1: there is none. */
export const COLUMN = {
  type: 2,
  event: 4,
  messageId: 6,
  userId: 8,
  anonymousId: 10,
  groupId: 12,
  previousId: 14,
  timestamp: 16,
  originalTimestamp: 18,
  sentAt: 20,
  receivedAt: 22,
  integrations: 24,
  context: 26,
  channel: 28,
  version: 30,
  projectId: 32,
  writeKey: 34,
  batch: 36,
  options: 38,
  /** Of `context`, as the following ones. */
  ip: 40,
  userAgent: 42,
  library: 44,
  libraryName: 46,
} as const

/** Columns of a row. The first two say where the whole value begins and ends. */
export const ROW_LENGTH = 48

const CONTEXT_COLUMNS = new Set<string>(['ip', 'userAgent', 'library', 'libraryName'])

const EVENT_KEYS = new KeyTable(Object.entries(COLUMN).filter(([name]) => !CONTEXT_COLUMNS.has(name)))
const CONTEXT_KEYS = new KeyTable([
  ['ip', COLUMN.ip],
  ['userAgent', COLUMN.userAgent],
  ['library', COLUMN.library],
])
const LIBRARY_KEYS = new KeyTable([['name', COLUMN.libraryName]])

const BOM = Buffer.from('\ufeff')
/**
 * More than twice what fits into the largest body that Segment takes (500 KB), and several times its limit of events.
 * SECURITY: a body within our cap holds 1.7 million times `{},`, and a row takes 192 bytes.
 */
export const MAX_BATCH_EVENTS = 10_000

const FIRST_ROWS = 128
/** A table of more rows is not held for the next body. */
const MOST_HELD_ROWS = 1_024

/** What a body holds, as places in its bytes. */
export interface ScannedBody {
  /**
   * What the places are in: valid JSON in UTF-8, with no line break between tokens, no key that comes twice, and the
   * known keys without escapes. Rewritten where the body that came was not like that.
   */
  readonly bytes: Buffer
  /** A row for the body, and one for each element of its `batch`, or of the array that it is: see {@link COLUMN}. */
  readonly rows: Int32Array
  readonly kind: 'object' | 'batch' | 'array'
  /** Elements of the batch or array. Those beyond {@link MAX_BATCH_EVENTS} have no rows. */
  readonly count: number
  /** Rows whose `messageId` was not UTF-8: what came cannot be told from others any more. */
  readonly unreadableIds: ReadonlySet<number>
}

/**
 * Finds the events of a body and the members of them that matter, in one pass, and makes no object of them. A body
 * that is valid but not plain — it has repeated or escaped keys, line breaks, or bytes that are not UTF-8 — is
 * rewritten and scanned again.
 *
 * @param takesBatch - whether a member `batch` of the body holds events
 * @throws JsonSyntaxError
 */
export function scanBody(given: Buffer, takesBatch: boolean): ScannedBody {
  let bytes =
    given[0] === BOM[0] && given[1] === BOM[1] && given[2] === BOM[2] ? given.subarray(BOM.length) : given
  let unreadableIds = NO_ROWS
  scanner.scan(bytes, takesBatch)
  if (!isUtf8(bytes)) {
    unreadableIds = scanner.rowsWithUnreadableId()
    bytes = Buffer.from(bytes.toString())
    scanner.scan(bytes, takesBatch)
  }
  if (scanner.notes !== 0) {
    bytes = canonicalJson(bytes, scanner.notes)
    scanner.scan(bytes, takesBatch)
  }
  return scanner.result(bytes, unreadableIds)
}

const NO_ROWS: ReadonlySet<number> = new Set()

class BodyScanner extends JsonScanner {
  #rows = new Int32Array(FIRST_ROWS * ROW_LENGTH)
  #count = 0
  #kind: ScannedBody['kind'] = 'object'
  #takesBatch = false

  scan(bytes: Buffer, takesBatch: boolean): void {
    this.begin(bytes, 0, bytes.length)
    this.#takesBatch = takesBatch
    this.#count = 0
    this.#kind = 'object'
    this.#open(0)
    const first = this.space()
    this.#rows[0] = this.at
    if (first === OPEN_BRACE) this.#object(EVENT_KEYS, 0, 1)
    else if (first === OPEN_BRACKET) this.#elements('array', 1)
    else this.value(0)
    this.#rows[1] = this.at
    this.finish()
  }

  /** A copy, as the next body is scanned into the same rows. */
  result(bytes: Buffer, unreadableIds: ReadonlySet<number>): ScannedBody {
    const rows = this.#rows.slice(0, (Math.min(this.#count, MAX_BATCH_EVENTS) + 1) * ROW_LENGTH)
    if (this.#count > MOST_HELD_ROWS) this.#rows = new Int32Array(FIRST_ROWS * ROW_LENGTH)
    return { bytes, rows, kind: this.#kind, count: this.#count, unreadableIds }
  }

  rowsWithUnreadableId(): ReadonlySet<number> {
    const rows = new Set<number>()
    for (let row = 0; row <= Math.min(this.#count, MAX_BATCH_EVENTS); row++) {
      const column = row * ROW_LENGTH + COLUMN.messageId
      const start = this.#rows[column] as number
      if (start >= 0 && !isUtf8(this.bytes.subarray(start, this.#rows[column + 1]))) rows.add(row)
    }
    return rows
  }

  /** Clears a row. */
  #open(row: number): void {
    const base = row * ROW_LENGTH
    if (base + ROW_LENGTH > this.#rows.length) {
      const larger = new Int32Array(2 * this.#rows.length)
      larger.set(this.#rows)
      this.#rows = larger
    }
    this.#rows.fill(-1, base, base + ROW_LENGTH)
  }

  /** From the opening brace. Puts the values of the known keys into the row that begins at `base`. */
  #object(keys: KeyTable, base: number, depth: number): void {
    this.at++
    if (this.space() === CLOSE_BRACE) {
      this.at++
      return
    }
    const mark = this.keys.open()
    for (;;) {
      if (this.space() !== QUOTE) this.fail()
      const start = this.at + 1
      const hash = this.key()
      const column = keys.columnOf(hash, this.bytes, start, this.at - 1)
      if (this.keys.add(mark, hash)) this.notes |= NOTE.REPEATED_KEY
      this.colon()
      const value = this.at
      if (column === undefined) this.value(depth)
      else {
        this.#member(column, base, depth)
        this.#rows[base + column] = value
        this.#rows[base + column + 1] = this.at
      }
      if (!this.isLast(CLOSE_BRACE)) continue
      if (this.keys.close(mark)) this.notes |= NOTE.REPEATED_KEY
      return
    }
  }

  /** The value of a known key. */
  #member(column: number, base: number, depth: number): void {
    const first = this.bytes[this.at]
    if (first === OPEN_BRACE) {
      if (column === COLUMN.context) return this.#object(CONTEXT_KEYS, base, depth + 1)
      if (column === COLUMN.library) return this.#object(LIBRARY_KEYS, base, depth + 1)
    }
    const isBatch = column === COLUMN.batch && first === OPEN_BRACKET && base === 0 && this.#takesBatch
    if (isBatch) this.#elements('batch', depth + 1)
    else this.value(depth)
  }

  /** From the opening bracket. Makes a row of each element. */
  #elements(kind: 'batch' | 'array', depth: number): void {
    this.#kind = kind
    this.#count = 0
    this.at++
    if (this.space() === CLOSE_BRACKET) {
      this.at++
      return
    }
    for (;;) {
      const first = this.space()
      const row = ++this.#count
      if (row > MAX_BATCH_EVENTS) {
        // It is refused as a whole: the rest is counted and checked.
        this.value(depth)
        if (this.isLast(CLOSE_BRACKET)) return
        continue
      }
      this.#open(row)
      const base = row * ROW_LENGTH
      this.#rows[base] = this.at
      if (first === OPEN_BRACE) this.#object(EVENT_KEYS, base, depth + 1)
      else this.value(depth)
      this.#rows[base + 1] = this.at
      if (this.isLast(CLOSE_BRACKET)) return
    }
  }
}

const scanner = new BodyScanner()

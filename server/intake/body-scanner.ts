import { isUtf8 } from 'node:buffer'
import { canonicalJson } from '../../plugin/json/canonical-json.js'
import { JsonScanner } from '../../plugin/json/json-scanner.js'
import { SLICE_BYTES, type Slices } from '../../plugin/slices.js'
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

/** The column of the value as a whole. */
const WHOLE = 0

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
/** A table of more rows is not held for the next body, nor is what a larger body was scanned with. */
const MOST_HELD_ROWS = 1_024
const MOST_HELD_BYTES = 1024 * 1024

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
  /** Elements of the batch or array; beyond {@link MAX_BATCH_EVENTS} they have no rows. */
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
export function* scanBody(given: Buffer, takesBatch: boolean): Slices<ScannedBody> {
  let bytes =
    given[0] === BOM[0] && given[1] === BOM[1] && given[2] === BOM[2] ? given.subarray(BOM.length) : given
  let unreadableIds = NO_ROWS
  // Another body may be scanned while this one pauses.
  const scanner = freeScanner ?? new BodyScanner()
  freeScanner = undefined
  try {
    yield* scanner.scanAll(bytes, takesBatch)
    // Even one key may be as large as the body.
    if (bytes.length > SLICE_BYTES) yield
    if (!isUtf8(bytes)) {
      unreadableIds = scanner.rowsWithUnreadableId()
      bytes = yield* inUtf8(bytes)
      yield* scanner.scanAll(bytes, takesBatch)
    }
    if (scanner.notes !== 0) {
      bytes = yield* canonicalJson(bytes, scanner.notes)
      yield* scanner.scanAll(bytes, takesBatch)
    }
    return scanner.result(bytes, unreadableIds)
  } finally {
    if (given.length <= MOST_HELD_BYTES) freeScanner = scanner
  }
}

const NO_ROWS: ReadonlySet<number> = new Set()

/** With U+FFFD in place of what is not UTF-8. */
function* inUtf8(bytes: Buffer): Slices<Buffer> {
  const decoder = new TextDecoder()
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    const end = at + SLICE_BYTES
    pieces.push(Buffer.from(decoder.decode(bytes.subarray(at, end), { stream: end < bytes.length })))
    yield
  }
  return Buffer.concat(pieces)
}

const NO_COLUMN = -1
/** What is watched at the most: the body itself, an object, its batch, an event, its context, its library. */
const MOST_WATCHED = 6
const NOWHERE = -1

class BodyScanner extends JsonScanner {
  #rows = new Int32Array(FIRST_ROWS * ROW_LENGTH)
  #count = 0
  #kind: ScannedBody['kind'] = 'object'
  #takesBatch = false
  /** By depth: the known keys of an object. */
  readonly #keys: (KeyTable | undefined)[] = new Array(MOST_WATCHED).fill(undefined)
  /** By depth: where the row begins that the values in it belong to. */
  readonly #bases = new Int32Array(MOST_WATCHED)
  /** By depth: the column of the value that is being scanned. */
  readonly #columns = new Int32Array(MOST_WATCHED)
  /** The depth at which the elements of the batch or array are. */
  #elementsAt = NOWHERE

  /** A copy, as the next body is scanned into the same rows. */
  result(bytes: Buffer, unreadableIds: ReadonlySet<number>): ScannedBody {
    const rows = this.#rows.slice(0, this.#rowCount * ROW_LENGTH)
    if (this.#count > MOST_HELD_ROWS) this.#rows = new Int32Array(FIRST_ROWS * ROW_LENGTH)
    return { bytes, rows, kind: this.#kind, count: this.#count, unreadableIds }
  }

  *scanAll(bytes: Buffer, takesBatch: boolean): Slices<void> {
    this.begin(bytes, 0, bytes.length, true)
    this.#takesBatch = takesBatch
    this.#count = 0
    this.#kind = 'object'
    this.#elementsAt = NOWHERE
    this.#openRow(0)
    this.#columns[0] = WHOLE
    this.space()
    while (!this.scan(this.at + SLICE_BYTES)) yield
    this.finish()
  }

  rowsWithUnreadableId(): ReadonlySet<number> {
    const rows = new Set<number>()
    for (let row = 0; row < this.#rowCount; row++) {
      const column = row * ROW_LENGTH + COLUMN.messageId
      const start = this.#rows[column] as number
      if (start >= 0 && !isUtf8(this.bytes.subarray(start, this.#rows[column + 1]))) rows.add(row)
    }
    return rows
  }

  /** That of the body included. */
  get #rowCount(): number {
    return Math.min(this.#count, MAX_BATCH_EVENTS) + 1
  }

  protected override valueBegins(depth: number): void {
    if (depth === this.#elementsAt) this.#nextElement(depth)
    const column = this.#columns[depth] as number
    if (column !== NO_COLUMN) this.#rows[(this.#bases[depth] as number) + column] = this.at
  }

  protected override valueEnds(depth: number): void {
    const column = this.#columns[depth] as number
    if (column !== NO_COLUMN) this.#rows[(this.#bases[depth] as number) + column + 1] = this.at
  }

  protected override keyRead(depth: number, hash: number, start: number, end: number): void {
    this.#columns[depth] = this.#keys[depth]?.columnOf(hash, this.bytes, start, end) ?? NO_COLUMN
  }

  protected override opened(depth: number, isObject: boolean): boolean {
    const column = this.#columns[depth] as number
    const keys = isObject ? keysIn(column) : undefined
    const areElements = !isObject && this.#holdsEvents(depth, column)
    if (keys === undefined && !areElements) return false
    if (areElements) this.#elementsAt = depth + 1
    else if (this.#elementsAt === depth + 1) this.#elementsAt = NOWHERE
    this.#keys[depth + 1] = keys
    this.#bases[depth + 1] = this.#bases[depth] as number
    this.#columns[depth + 1] = NO_COLUMN
    return true
  }

  /** Whether an array is the batch of the body, or the body itself. */
  #holdsEvents(depth: number, column: number): boolean {
    const isBatch = depth === 1 && column === COLUMN.batch && this.#takesBatch
    if (depth !== 0 && !isBatch) return false
    this.#kind = isBatch ? 'batch' : 'array'
    this.#count = 0
    return true
  }

  /** SECURITY: makes no row beyond the most that a body may hold, each of which takes more memory than `{},`. */
  #nextElement(depth: number): void {
    this.#count++
    this.#columns[depth] = this.#count > MAX_BATCH_EVENTS ? NO_COLUMN : WHOLE
    if (this.#count > MAX_BATCH_EVENTS) return
    this.#bases[depth] = this.#count * ROW_LENGTH
    this.#openRow(this.#count)
  }

  #openRow(row: number): void {
    const base = row * ROW_LENGTH
    if (base + ROW_LENGTH > this.#rows.length) {
      const larger = new Int32Array(2 * this.#rows.length)
      larger.set(this.#rows)
      this.#rows = larger
    }
    this.#rows.fill(-1, base, base + ROW_LENGTH)
  }
}

/** The known keys of an object that is the value of this column. */
function keysIn(column: number): KeyTable | undefined {
  switch (column) {
    case WHOLE:
      return EVENT_KEYS
    case COLUMN.context:
      return CONTEXT_KEYS
    case COLUMN.library:
      return LIBRARY_KEYS
    default:
      return undefined
  }
}

/** `undefined` while a body is scanned with it. */
let freeScanner: BodyScanner | undefined = new BodyScanner()

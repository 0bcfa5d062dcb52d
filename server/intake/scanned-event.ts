import { OPEN_BRACE, OPEN_BRACKET, QUOTE } from '../../plugin/json/json-bytes.js'
import { skipSpace, stringAt } from '../../plugin/json/json-spans.js'
import { COLUMN, ROW_LENGTH, type ScannedBody } from './body-scanner.js'

/** A member of an event, or of its context, that has a column in the rows of a {@link ScannedBody}. */
export type KnownMember = keyof typeof COLUMN

/** Stands for an object or array, which is not parsed. */
export const COMPOSITE: unique symbol = Symbol('object or array')

/** One event, or the body itself, as places in the bytes of a {@link ScannedBody}. Values are read when asked for. */
export class ScannedEvent {
  readonly bytes: Buffer
  /** Whether its `messageId` was not UTF-8. */
  readonly hasUnreadableId: boolean
  readonly #rows: Int32Array
  readonly #base: number
  #name: string | undefined

  /** @param row - 0 for the body itself, then the elements of its batch */
  constructor(body: ScannedBody, row: number) {
    this.bytes = body.bytes
    this.#rows = body.rows
    this.#base = row * ROW_LENGTH
    this.hasUnreadableId = body.unreadableIds.has(row)
  }

  get start(): number {
    return this.#rows[this.#base] as number
  }

  get end(): number {
    return this.#rows[this.#base + 1] as number
  }

  get isObject(): boolean {
    return this.bytes[this.start] === OPEN_BRACE
  }

  /** The name of a track event: the member `event`, empty where that is not a string. */
  get name(): string {
    this.#name ??= this.stringOf('event') ?? ''
    return this.#name
  }

  has(member: KnownMember): boolean {
    return this.startOf(member) >= 0
  }

  /** Where the member's value begins, -1 where there is none. */
  startOf(member: KnownMember): number {
    return this.#rows[this.#base + COLUMN[member]] as number
  }

  endOf(member: KnownMember): number {
    return this.#rows[this.#base + COLUMN[member] + 1] as number
  }

  /** Whether the member is there and is an object. */
  hasObject(member: KnownMember): boolean {
    const start = this.startOf(member)
    return start >= 0 && this.bytes[start] === OPEN_BRACE
  }

  /** Whether the member is the string, written without escapes. The string is ASCII. */
  isString(member: KnownMember, text: string): boolean {
    const start = this.startOf(member)
    if (start < 0 || this.endOf(member) - start !== text.length + 2 || this.bytes[start] !== QUOTE)
      return false
    for (let i = 0; i < text.length; i++) if (this.bytes[start + 1 + i] !== text.charCodeAt(i)) return false
    return true
  }

  /** Whether the member is a string with something in it. */
  hasText(member: KnownMember): boolean {
    const start = this.startOf(member)
    return start >= 0 && this.bytes[start] === QUOTE && this.endOf(member) - start > 2
  }

  /** Whether the member is an object or array without members or elements. */
  isEmpty(member: KnownMember): boolean {
    const start = this.startOf(member)
    const first = this.bytes[start]
    if (start < 0 || (first !== OPEN_BRACE && first !== OPEN_BRACKET)) return false
    return skipSpace(this.bytes, start + 1) === this.endOf(member) - 1
  }

  /** The member's value as the JSON that came, `undefined` where there is none. */
  textOf(member: KnownMember): string | undefined {
    const start = this.startOf(member)
    return start < 0 ? undefined : this.bytes.toString('utf8', start, this.endOf(member))
  }

  /** Whether the member's value came as this text. */
  isText(member: KnownMember, text: string): boolean {
    const size = this.endOf(member) - this.startOf(member)
    return size === Buffer.byteLength(text) && this.textOf(member) === text
  }

  /** The member's value, {@link COMPOSITE} for objects and arrays, `undefined` where there is none. */
  valueOf(member: KnownMember): unknown {
    const start = this.startOf(member)
    return start < 0 ? undefined : valueAt(this.bytes, start, this.endOf(member))
  }

  /** The member's value if it is a string. */
  stringOf(member: KnownMember): string | undefined {
    const value = this.valueOf(member)
    return typeof value === 'string' ? value : undefined
  }
}

function valueAt(bytes: Buffer, start: number, end: number): unknown {
  const first = bytes[start]
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return COMPOSITE
  return first === QUOTE ? stringAt(bytes, start, end) : JSON.parse(bytes.toString('utf8', start, end))
}

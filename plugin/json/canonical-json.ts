import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './json-bytes.js'
import { HASH_MULTIPLIER, NOTE } from './json-scanner.js'
import { endOfString } from './json-spans.js'

/** Objects with more members look their keys up in a Map. */
const FEW_MEMBERS = 12

/**
 * Writes valid JSON anew without white space, with the last of the members that have the same key, at every depth, and
 * with keys as JSON.stringify writes them. Values are copied byte for byte: numbers keep their digits.
 *
 * It makes no value and does not recurse: its time and memory grow with the bytes alone.
 *
 * @param bytes - valid JSON, UTF-8
 * @param notes - what `JsonScanner` noticed about it
 */
export function canonicalJson(bytes: Buffer, notes: number): Buffer {
  const needsKeys = (notes & (NOTE.ESCAPED_KEY | NOTE.REPEATED_KEY)) !== 0
  return needsKeys ? new Rewriting(bytes).written() : compacted(bytes)
}

/** Leaves out the white space. */
function compacted(bytes: Buffer): Buffer {
  const output = Buffer.allocUnsafe(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number
    if (byte > SPACE) output[length++] = byte
    at++
    if (byte !== QUOTE) continue
    for (let inString = true; inString; at++) {
      const inner = bytes[at] as number
      output[length++] = inner
      if (inner === BACKSLASH) output[length++] = bytes[++at] as number
      else inString = inner !== QUOTE
    }
  }
  return output.subarray(0, length)
}

/** The members of an object that is open, in the order of the output. */
class OpenObject {
  /** A hash of the key, and where the key begins and ends in the output, for each member. */
  readonly #members: number[] = []
  #byHash: Map<number, number> | undefined

  startOf(member: number): number {
    return this.#members[member * 3 + 1] as number
  }

  /** The index of an earlier member with the same key as the one just written, -1 if there is none. */
  add(hash: number, start: number, end: number, output: Buffer): number {
    const count = this.#members.length / 3
    const same = this.#indexOf(hash, start, end, output, count)
    this.#members.push(hash, start, end)
    if (count === FEW_MEMBERS) {
      this.#byHash = new Map()
      for (let i = 0; i <= count; i++) this.#byHash.set(this.#members[i * 3] as number, i)
    } else this.#byHash?.set(hash, count)
    return same
  }

  #indexOf(hash: number, start: number, end: number, output: Buffer, count: number): number {
    const candidate = this.#byHash === undefined ? count - 1 : (this.#byHash.get(hash) ?? -1)
    for (let i = candidate; i >= 0; i--) {
      if (this.#members[i * 3] !== hash) continue
      const from = this.#members[i * 3 + 1] as number
      const to = this.#members[i * 3 + 2] as number
      if (output.compare(output, from, to, start, end) === 0) return i
    }
    return -1
  }
}

class Rewriting {
  readonly #bytes: Buffer
  readonly #output: Buffer
  #length = 0
  /** `undefined` for arrays. */
  readonly #open: (OpenObject | undefined)[] = []
  /** The last of them. */
  #object: OpenObject | undefined
  /** Stretches of the output to leave out: start, end, start, end … */
  readonly #cuts: number[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    // No key becomes longer: escapes become shorter, or stay.
    this.#output = Buffer.allocUnsafe(bytes.length)
  }

  written(): Buffer {
    const { length } = this.#bytes
    for (let at = 0; at < length; ) at = this.#token(at)
    return this.#withoutCuts()
  }

  /** Writes the token that begins here. Returns where the next may begin. */
  #token(at: number): number {
    const byte = this.#bytes[at] as number
    switch (byte) {
      case QUOTE:
        return this.#isKey() ? this.#key(at) : this.#copy(at, endOfString(this.#bytes, at))
      case OPEN_BRACE:
        this.#object = new OpenObject()
        this.#open.push(this.#object)
        break
      case OPEN_BRACKET:
        this.#object = undefined
        this.#open.push(undefined)
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.#open.pop()
        this.#object = this.#open.at(-1)
        break
      default:
        if (byte <= SPACE) return at + 1
    }
    this.#output[this.#length++] = byte
    return at + 1
  }

  /** A string is a key where it follows the opening brace or a comma of an object. */
  #isKey(): boolean {
    if (this.#object === undefined) return false
    const before = this.#output[this.#length - 1]
    return before === OPEN_BRACE || before === COMMA
  }

  #key(at: number): number {
    const end = endOfString(this.#bytes, at)
    const start = this.#length
    const isEscaped = this.#bytes.subarray(at, end).includes(BACKSLASH)
    if (isEscaped) this.#length += this.#output.write(unescaped(this.#bytes, at, end), start)
    else this.#copy(at, end)
    let hash = 0
    for (let i = start; i < this.#length; i++) {
      hash = (Math.imul(hash, HASH_MULTIPLIER) + (this.#output[i] as number)) | 0
    }
    const object = this.#object as OpenObject
    const same = object.add(hash, start, this.#length, this.#output)
    // A member that another one replaces is never the last: it ends where the next one begins.
    if (same >= 0) this.#cut(object.startOf(same), object.startOf(same + 1))
    return end
  }

  #cut(start: number, end: number): void {
    const last = this.#cuts.length - 1
    // A key that comes again and again makes one cut.
    if (this.#cuts[last] === start) this.#cuts[last] = end
    else this.#cuts.push(start, end)
  }

  #copy(from: number, to: number): number {
    const bytes = this.#bytes
    const output = this.#output
    let length = this.#length
    for (let at = from; at < to; at++) output[length++] = bytes[at] as number
    this.#length = length
    return to
  }

  #withoutCuts(): Buffer {
    let length = 0
    let from = 0
    for (const { start, end } of mergedCuts(this.#cuts)) {
      this.#output.copyWithin(length, from, start)
      length += start - from
      from = end
    }
    this.#output.copyWithin(length, from, this.#length)
    return this.#output.subarray(0, length + this.#length - from)
  }
}

/** A key as JSON.stringify writes it. */
function unescaped(bytes: Buffer, start: number, end: number): string {
  return JSON.stringify(JSON.parse(bytes.toString('utf8', start, end)))
}

interface Cut {
  readonly start: number
  end: number
}

/** In order, and those that overlap or touch as one. */
function mergedCuts(flat: readonly number[]): readonly Cut[] {
  const cuts: Cut[] = []
  for (let i = 0; i < flat.length; i += 2) cuts.push({ start: flat[i] as number, end: flat[i + 1] as number })
  cuts.sort((a, b) => a.start - b.start)
  const merged: Cut[] = []
  for (const cut of cuts) {
    const last = merged.at(-1)
    if (last === undefined || cut.start > last.end) merged.push(cut)
    else if (cut.end > last.end) last.end = cut.end
  }
  return merged
}

import { hashOf } from '../../plugin/json/key-hash.js'

/** A power of two, several times the keys of any table. */
const SLOTS = 128

interface KnownKey {
  readonly bytes: Uint8Array
  readonly column: number
}

/** Finds the column of a key by the hash that `JsonScanner.key` makes of its bytes. */
export class KeyTable {
  /** By the low bits of the hash. */
  readonly #slots: readonly (readonly KnownKey[] | undefined)[]

  constructor(columns: readonly (readonly [name: string, column: number])[]) {
    const slots: KnownKey[][] = []
    for (const [name, column] of columns) {
      const bytes = Buffer.from(name)
      const slot = hashOf(bytes, 0, bytes.length) & (SLOTS - 1)
      slots[slot] = [...(slots[slot] ?? []), { bytes, column }]
    }
    this.#slots = Array.from({ length: SLOTS }, (_, slot) => slots[slot])
  }

  /** The column of the key in the bytes from `start` to before `end`, `undefined` if it is not a known one. */
  columnOf(hash: number, bytes: Uint8Array, start: number, end: number): number | undefined {
    const candidates = this.#slots[hash & (SLOTS - 1)]
    if (candidates === undefined) return undefined
    for (const key of candidates) if (isSame(key.bytes, bytes, start, end)) return key.column
    return undefined
  }
}

function isSame(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false
  return true
}

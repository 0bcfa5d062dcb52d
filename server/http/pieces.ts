/**
 * Pieces are put together as they come. SECURITY: sent byte by byte, in chunks of one, a body would come to a hundred
 * times its size in Buffers.
 */
const GROUPED_PIECES = 256

/** The pieces of a body, in the order in which they came. */
export class Pieces {
  readonly #groups: Buffer[] = []
  #pieces: Buffer[] = []
  #size = 0

  /** In bytes. */
  get size(): number {
    return this.#size
  }

  add(piece: Buffer): void {
    this.#size += piece.length
    this.#pieces.push(piece)
    if (this.#pieces.length < GROUPED_PIECES) return
    this.#groups.push(Buffer.concat(this.#pieces))
    this.#pieces = []
  }

  joined(): Buffer {
    const [first] = this.#pieces
    if (first !== undefined && this.#pieces.length === 1 && this.#groups.length === 0) return first
    return Buffer.concat([...this.#groups, ...this.#pieces], this.#size)
  }
}

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

  /** All of them, which are let go of here: a request's listeners live until it is answered. */
  taken(): Buffer {
    const all = [...this.#groups.splice(0), ...this.#pieces.splice(0)]
    const [first] = all
    return first !== undefined && all.length === 1 ? first : Buffer.concat(all, this.#size)
  }
}

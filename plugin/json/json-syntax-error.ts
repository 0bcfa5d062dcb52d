/** Deeper than any event of a real library, and what common readers of records take (Jackson's default is 1,000). */
export const MAX_DEPTH = 1_000

/** Why bytes are not JSON that is taken here, and where that shows. SECURITY: the message quotes nothing of the bytes. */
export class JsonSyntaxError extends Error {
  /** Offset of the first byte that cannot be part of valid JSON. */
  readonly position: number
  readonly isTooDeep: boolean

  constructor(position: number, isTooDeep = false) {
    super(
      isTooDeep ? `it is nested deeper than ${MAX_DEPTH} levels` : `it is not valid JSON at byte ${position}`,
    )
    this.name = 'JsonSyntaxError'
    this.position = position
    this.isTooDeep = isTooDeep
  }
}

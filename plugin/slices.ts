/**
 * Long work in slices: a generator that yields where other work may have its turn, after some tens of thousands of
 * bytes at the most. It returns the result.
 */
export type Slices<T> = Generator<undefined, T, undefined>

/** Bytes to look at between two pauses: some tenths of a millisecond. */
export const SLICE_BYTES = 64 * 1024

/** Does all of the work at once. */
export function finish<T>(work: Slices<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

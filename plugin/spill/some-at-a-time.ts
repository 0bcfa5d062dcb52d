/**
 * Does a step for each item, at most so many at a time: all at once would take a file handle each, and the few threads
 * that Node has for the disk from everyone else, name look-ups included.
 */
export async function someAtATime<T, R>(
  items: readonly T[],
  most: number,
  step: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  const left = items.entries()
  const work = async () => {
    for (const [index, item] of left) results[index] = await step(item)
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, work))
  return results
}

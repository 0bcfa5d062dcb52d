/** The write key of the source with this number. */
export function writeKeyOf(source: number): string {
  return `key-of-bench-source-${source}`
}

/** The name of an event that has a row of its own. */
function eventNameOf(row: number): string {
  return `Event ${row}`
}

/** One row is that of all events. */
export function rowsOf(count: number) {
  if (count === 1) return [{ event: '*', stream: 'bench' }]
  return Array.from({ length: count }, (_, i) => ({ event: eventNameOf(i), stream: 'bench' }))
}

/** Of as many rows as a body has events, spread over all. */
export function eventNames(rows: number, eventsInBody: number): string[] {
  return Array.from({ length: eventsInBody }, (_, i) => eventNameOf(Math.floor((i * rows) / eventsInBody)))
}

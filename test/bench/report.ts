/** What a bench came to. */
export interface Report {
  /** What was done, in a line or two. */
  readonly notes?: readonly string[]
  /** The first row names the columns. */
  readonly table?: readonly (readonly string[])[]
  readonly ratios?: readonly Ratio[]
  /** Why there is nothing to tell. */
  readonly skipped?: string
}

/** A figure, once for each round, and what it should be. */
export interface Ratio {
  readonly name: string
  readonly values: readonly number[]
  readonly atLeast?: number
  readonly atMost?: number
  /** @default '×' */
  readonly unit?: string
}

/** The report as text. */
export function printed({ notes = [], table = [], ratios = [], skipped }: Report): string {
  const lines = skipped === undefined ? [...notes, ...aligned(table)] : [`skipped: ${skipped}`]
  return [...lines, ...aligned(ratios.map(ratioCells))].map((line) => `  ${line}\n`).join('')
}

/** The median of `values`, with the least and the greatest of them. */
export function spread(values: readonly number[], show: (value: number) => string): string {
  if (values.length === 1) return show(values[0] as number)
  return `${show(median(values))} (${show(Math.min(...values))} – ${show(Math.max(...values))})`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

export function wholeNumber(value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function mebibytes(bytes: number): string {
  return `${wholeNumber(bytes / 1024 / 1024)} MiB`
}

function ratioCells({ name, values, atLeast, atMost, unit = '×' }: Ratio): string[] {
  const shown = spread(values, (value) => `${value.toFixed(2)} ${unit}`)
  if (atLeast !== undefined) {
    return [name, shown, `goal ≥ ${atLeast} ${unit}`, mark(median(values) >= atLeast)]
  }
  if (atMost !== undefined) return [name, shown, `goal ≤ ${atMost} ${unit}`, mark(median(values) <= atMost)]
  return [name, shown]
}

function mark(isReached: boolean): string {
  return isReached ? '✓ reached' : '✗ not reached'
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

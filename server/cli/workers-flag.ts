import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from 'commander'

/** More is a slip of the finger: each worker is a process of some 100 MB. */
const MAX_WORKERS = 256

/** @throws InvalidArgumentError which commander turns into a line */
export function parseWorkers(text: string): number {
  if (text === 'auto') return Math.min(availableParallelism(), MAX_WORKERS)
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= MAX_WORKERS) return Number(text)
  throw new InvalidArgumentError(`Use a whole number from 1 to ${MAX_WORKERS}, or auto for one a core.`)
}

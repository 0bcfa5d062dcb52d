import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A turn of a process's event loop: whatever else comes meanwhile waits for its end. */
export interface Turn {
  /** When it ended, in ms since 1970. */
  readonly at: number
  readonly wallMs: number
  /** How long the main thread ran: where others use the machine as well, it is less than `wallMs`. */
  readonly cpuMs: number
}

/** The turns that `parts/turns` noted for the processes that run in this directory. */
export function turnsIn(directory: string): readonly Turn[] {
  const files = readdirSync(directory).filter((name) => name.startsWith('turns-'))
  const lines = files.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Turn)
}

import type { Environment } from '../config/environment.js'
import type { SignalSource } from '../shutdown.js'

/** What a command sees of the process it runs in. */
export interface Terminal {
  readonly env: Environment
  readonly signals: SignalSource
  /** Writes a line to stdout. */
  out(line: string): void
  /** Writes a line to stderr. */
  err(line: string): void
}

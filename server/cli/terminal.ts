import type { ReloadSignals } from '../config/config-watch.js'
import type { Environment } from '../config/environment.js'
import type { SignalSource } from '../shutdown.js'

/** What a command sees of the process it runs in. */
export interface Terminal {
  readonly env: Environment
  readonly signals: SignalSource & ReloadSignals
  /** Whether a person reads stderr as it comes. */
  readonly isInteractive: boolean
  /** Writes a line to stdout. */
  out(line: string): void
  /** Writes a line to stderr. */
  err(line: string): void
  /** Puts text in place of the line on stderr that the cursor is in, and leaves it there; for {@link isInteractive}. */
  rewrite(text: string): void
}

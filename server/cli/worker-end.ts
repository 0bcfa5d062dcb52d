import type { ProxyReport } from '../proxy-report.js'

/** How a process has exited. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** How a worker has ended. */
export interface WorkerEnd extends Exit {
  /** What it delivered; `undefined` where it did not close in order. */
  readonly report: ProxyReport | undefined
  /** Why it could not serve, if it said so: a line each. */
  readonly failure: readonly string[] | undefined
}

/** In words, to stand after the name of what ended. */
export function howEnded({ code, signal }: Exit): string {
  return signal === null ? `ended with ${code ?? 'no exit code'}` : `was ended by ${signal}`
}

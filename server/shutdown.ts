import { constants } from 'node:os'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

type Signal = (typeof SIGNALS)[number]

/** What of `process` this needs. */
export interface SignalSource {
  on(signal: Signal, listener: (signal: Signal) => void): unknown
  exit(code: number): void
}

/**
 * Closes in order at the first signal, then exits with 0, or 1 where closing failed. The second signal exits at once,
 * with the code a shell gives a process that died of it.
 */
export function closeOnSignal(
  source: SignalSource,
  close: (signal: Signal) => Promise<void>,
  onError: (error: unknown) => void,
): void {
  let isClosing = false
  const stop = (signal: Signal) => {
    if (isClosing) return source.exit(128 + constants.signals[signal])
    isClosing = true
    close(signal).then(
      () => source.exit(0),
      (error) => {
        try {
          onError(error)
        } catch {
          // The process must end even if the error cannot be reported.
        }
        source.exit(1)
      },
    )
  }
  for (const signal of SIGNALS) source.on(signal, stop)
}

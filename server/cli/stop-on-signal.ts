import type { StreamReport } from '../../plugin/delivery/stats.js'
import type { ProxyReport } from '../proxy-report.js'
import { closeOnSignal } from '../shutdown.js'
import { errorLines } from './error-lines.js'
import type { OpenLocalAws } from './open-local-aws.js'
import { type Serving, SHUTDOWN_TIMEOUT_MS } from './serve-here.js'
import type { Terminal } from './terminal.js'

interface Running extends Pick<Serving, 'server' | 'failed'> {
  readonly localAws: OpenLocalAws | undefined
  readonly metrics: { close(): Promise<void> } | undefined
  readonly watch: { close(): void } | undefined
}

/** Closes all at a signal, or when it cannot go on, and ends the process. */
export function stopOnSignal(
  { server, failed, localAws, metrics, watch }: Running,
  terminal: Terminal,
): void {
  const close = async () => {
    try {
      const report = await server.close({ timeout: SHUTDOWN_TIMEOUT_MS })
      terminal.out(summary(report))
    } finally {
      await metrics?.close()
      await localAws?.close()
      // Last: without its listener SIGHUP would end the process in the middle of this.
      watch?.close()
    }
  }
  const tell = (error: unknown) => {
    for (const line of errorLines(error)) terminal.err(`error: ${line}`)
  }
  const onSignal = (signal: string) => {
    terminal.out(`${signal}: delivering what is queued; once more to exit at once`)
    return close()
  }
  closeOnSignal(terminal.signals, onSignal, tell)
  void failed.then(async (error) => {
    tell(error)
    await close().catch(tell)
    terminal.signals.exit(1)
  })
}

function summary(report: ProxyReport): string {
  const streams = Object.values(report).flatMap((source) => Object.values(source))
  const sum = (name: keyof StreamReport) => streams.reduce((total, stream) => total + stream[name], 0)
  return `Closed: ${sum('delivered')} records delivered, ${sum('spilled')} spilled, ${sum('failed')} failed`
}

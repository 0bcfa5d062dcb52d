import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import type { WorkerHandle } from './worker-handle.js'

/** What a worker gets to take up a configuration: what is loaded next waits for it. */
const TAKE_UP_MS = 5_000

export interface ReconfigureParts {
  readonly clock: Pick<Clock, 'after'>
  readonly logger: Pick<Logger, 'warn'>
}

/** Resolves when all serve this. One that hangs is told of and not waited for. */
export async function reconfigureWorkers(
  handles: readonly (Pick<WorkerHandle, 'pid' | 'reconfigure'> | undefined)[],
  config: string,
  { clock, logger }: ReconfigureParts,
): Promise<void> {
  const late = new Set(handles.flatMap((handle) => handle ?? []))
  const all = Promise.all([...late].map((it) => it.reconfigure(config).then(() => late.delete(it))))
  let cancel = () => {}
  const timeout = new Promise<void>((resolve) => {
    cancel = clock.after(TAKE_UP_MS, resolve)
  })
  await Promise.race([all, timeout])
  cancel()
  for (const { pid } of late) {
    logger.warn(
      `Worker process ${pid} has not taken up the configuration in ${TAKE_UP_MS} ms; it gets the newest when it goes on`,
    )
  }
}

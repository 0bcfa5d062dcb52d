import type { Clock } from '../../plugin/clock.js'
import type { ServeMeasures } from '../metrics/measures.js'
import type { WorkerHandle } from './worker-handle.js'

/** What a worker gets to tell of itself: who asks for the metrics page waits for it. */
const ANSWER_MS = 1_000

/** What each tells of itself; `undefined` for one that is not there or has not answered in time. */
export async function askWorkers(
  handles: readonly (Pick<WorkerHandle, 'measure'> | undefined)[],
  clock: Pick<Clock, 'after'>,
): Promise<ServeMeasures['workers']> {
  let cancel = () => {}
  const late = new Promise<undefined>((resolve) => {
    cancel = clock.after(ANSWER_MS, () => resolve(undefined))
  })
  const workers = await Promise.all(handles.map((handle) => Promise.race([handle?.measure(), late])))
  cancel()
  return workers
}

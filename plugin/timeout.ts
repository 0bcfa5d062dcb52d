import type { Clock } from './clock.js'

/**
 * Waits for `call` for `ms` at most. The wait ends by itself: an abort reaches neither a fetch of credentials inside the
 * AWS SDK nor a body that stops coming.
 *
 * @param call - gets a signal that is aborted when the time is over
 * @param message - of the error that is thrown then, whose name is `TimeoutError`
 */
export async function withTimeout<T>(
  clock: Pick<Clock, 'after'>,
  ms: number,
  call: (signal: AbortSignal) => Promise<T>,
  message: () => string = () => `No answer within ${ms} ms`,
): Promise<T> {
  const controller = new AbortController()
  let cancel = () => {}
  const timedOut = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(ms, () => {
      const error = Object.assign(new Error(message()), { name: 'TimeoutError' })
      reject(error)
      controller.abort(error)
    })
  })
  try {
    return await Promise.race([call(controller.signal), timedOut])
  } finally {
    cancel()
  }
}

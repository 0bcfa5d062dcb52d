import type { Clock } from '../clock.js'
import { redact } from './redact.js'

export interface BoundedCallOptions {
  /** How long it may take, in ms. */
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'after'>
  /** For the error: `SQS did not answer within 4000 ms`. */
  readonly service: string
}

/**
 * A call of an AWS client that ends in time. The SDK heeds the signal while a request is under way, but not while it
 * waits for credentials, so that the call is left to itself then.
 *
 * @throws the error of AWS, redacted, or one of the name TimeoutError
 */
export async function boundedCall<T>(
  { timeoutMs, clock, service }: BoundedCallOptions,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let cancel = () => {}
  const tooLate = new Promise<never>((_, reject) => {
    cancel = clock.after(timeoutMs, () => {
      controller.abort()
      const error = new Error(`${service} did not answer within ${timeoutMs} ms`)
      reject(Object.assign(error, { name: 'TimeoutError' }))
    })
  })
  try {
    return await Promise.race([send({ abortSignal: controller.signal }), tooLate])
  } catch (error) {
    throw redact(error, undefined)
  } finally {
    cancel()
  }
}

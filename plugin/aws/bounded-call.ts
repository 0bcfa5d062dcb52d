import type { Clock } from '../clock.js'
import { withTimeout } from '../timeout.js'
import { type CalledService, describeError } from './describe-error.js'
import { classify, isOfConnection } from './error-classes.js'

/** What can be mended of a client after a call of it has failed. */
export interface RepairableClient {
  /** For after a time-out or a reset. */
  dropIdleConnections?(): void
  /** AWS refused the credentials: the next call fetches others. */
  renewCredentials?(): void
  /** Whether a call has to wait for credentials first. */
  isWaitingForCredentials?(): boolean
}

export interface BoundedCallOptions extends CalledService {
  readonly client: RepairableClient
  /** How long it may take, in ms. */
  readonly timeoutMs: number
  readonly clock: Pick<Clock, 'after'>
}

/**
 * A call of an AWS client that ends in time. What broke it, the next call does not meet.
 *
 * @throws the error of AWS, described, or one of the name TimeoutError
 */
export async function boundedCall<T>(
  { client, timeoutMs, clock, ...called }: BoundedCallOptions,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  try {
    return await withTimeout(
      clock,
      timeoutMs,
      (abortSignal) => send({ abortSignal }),
      () =>
        client.isWaitingForCredentials?.()
          ? `No AWS credentials came within ${timeoutMs} ms`
          : `${called.service} did not answer within ${timeoutMs} ms`,
    )
  } catch (error) {
    if (isOfConnection(error)) client.dropIdleConnections?.()
    if (classify(error).class === 'reauth') client.renewCredentials?.()
    throw describeError(error, called)
  }
}

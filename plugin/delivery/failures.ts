import { FirehoseError } from '../errors.js'
import { MAX_RECORD_BYTES } from '../limits.js'
import type { ByteBudget } from './byte-budget.js'

// Why a record was not delivered, an error each.

export function recordTooLarge(stream: string, bytes: number): FirehoseError {
  return new FirehoseError(
    'ERR_RECORD_TOO_LARGE',
    `The record for stream "${stream}" has ${bytes} bytes, Firehose takes ${MAX_RECORD_BYTES}; send smaller events`,
  )
}

export function bufferFull({ used }: ByteBudget): FirehoseError {
  return new FirehoseError(
    'ERR_BUFFER_FULL',
    `${used} bytes are held in memory, and maxBufferedBytes leaves no room for more of this source; send more slowly or raise it`,
  )
}

export function recordRejected(stream: string, cause: Error): FirehoseError {
  return new FirehoseError(
    'ERR_RECORD_REJECTED',
    `Firehose rejects the record for stream "${stream}" as invalid: ${cause.message}`,
    { cause },
  )
}

export function streamUnavailable(stream: string, cause: Error | undefined): FirehoseError {
  return new FirehoseError(
    'ERR_STREAM_UNAVAILABLE',
    `Stream "${stream}" cannot be written: ${cause?.message}`,
    { cause },
  )
}

/** @param error - why it went to the spill @param cause - why that did not take it */
export function notSpilled(stream: string, error: FirehoseError, cause: unknown): FirehoseError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new FirehoseError(
    'ERR_SPILL',
    `The record for stream "${stream}" could be neither delivered (${error.code}) nor spilled: ${why}`,
    { cause: error },
  )
}

/** @param cause - what the last call came to, where one has come to an end */
export function deliveryTimedOut(stream: string, timeoutMs: number, cause: Error | undefined): FirehoseError {
  // What AWS or the network said has its own fix. More time helps where nothing was said.
  const [why, fix] =
    cause === undefined
      ? ['no answer yet', 'raise deliveryTimeout, or send it again']
      : [cause.message, 'send it again']
  return new FirehoseError(
    'ERR_DELIVERY_TIMEOUT',
    `Stream "${stream}" did not take the record within ${timeoutMs} ms (${why}); ${fix}`,
    { cause },
  )
}

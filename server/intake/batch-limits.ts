import { badRequest } from '../http/http-problem.js'
import { MAX_BODY_BYTES } from '../http/limits.js'

/** Of no event that a library makes fit so many in a body; `[0,0,…]` holds millions. */
const MAX_BATCH_EVENTS = 50_000

/** What batch-level `context` and `integrations` may come to once each event has its copy. */
const MAX_SHARED_BYTES = 4 * MAX_BODY_BYTES

/**
 * SECURITY: a body within its cap can still ask for a thousand times its size in memory and dead letters, by a large
 * context that all its events share, or by millions of events that are a digit each. It could never be taken, so the
 * answer is one on which senders let go.
 *
 * @throws HttpProblem 400
 */
export function checkBatchSize(
  batch: readonly unknown[],
  shared: { readonly context?: unknown; readonly integrations?: unknown },
): void {
  if (batch.length > MAX_BATCH_EVENTS) {
    const message = `The batch has ${batch.length} events; send ${MAX_BATCH_EVENTS} at most`
    throw badRequest('batch_too_large', message)
  }
  if (batch.length * jsonLength([shared.context, shared.integrations]) > MAX_SHARED_BYTES) {
    const message =
      'The `context` and `integrations` of the batch are too large to be copied to each event; send fewer events'
    throw badRequest('batch_too_large', message)
  }
}

function jsonLength(value: unknown): number {
  try {
    return JSON.stringify(value).length
  } catch {
    // Nested deeper than JSON.stringify goes: no event could be written with it.
    return Number.POSITIVE_INFINITY
  }
}

import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../plugin/clock.js'
import { cut } from './bare-connection.js'

/** What is read of a refused body at most: beyond it the connection is cut. */
const MAX_DRAINED_BYTES = 32 * 1024 * 1024

/** A sender that has been silent for this long, in ms, is waiting for its answer, whatever its Content-Length says. */
const SILENCE_MS = 2_000

/**
 * Reads what is left of a refused request and throws it away. Resolves when there is no more; with a `clock`, also when
 * nothing has come for a while. Never rejects, whatever a host app has done to the request.
 */
export function drain(req: IncomingMessage, clock?: Pick<Clock, 'after'>): Promise<void> {
  if (req.readableEnded || req.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let drained = 0
    let isOver = false
    const end = () => {
      isOver = true
      resolve()
    }
    const endAtSilence = (before: number) => {
      clock?.after(SILENCE_MS, () => {
        if (isOver) return
        if (drained === before) end()
        else endAtSilence(drained)
      })
    }
    try {
      req.on('data', (chunk: Buffer | string) => {
        drained += Buffer.byteLength(chunk)
        if (drained > MAX_DRAINED_BYTES) cut(req)
      })
      for (const event of ['end', 'close']) req.once(event, end)
      // Keep this listener: an `error` event without a listener ends the process.
      req.on('error', end)
      // A host app may have paused it.
      req.resume()
      endAtSilence(drained)
    } catch {
      // Answering this request would make Node.js call the same broken methods, and end the process.
      cut(req)
      end()
    }
  })
}

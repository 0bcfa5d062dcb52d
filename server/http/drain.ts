import type { IncomingMessage } from 'node:http'

/** What is read of a refused body at most: beyond it the connection is cut. */
const MAX_DRAINED_BYTES = 32 * 1024 * 1024

/**
 * Reads what is left of a refused request and throws it away: many clients look at the answer only when they
 * have sent everything, and would see a cut connection instead. Says whether the end was reached.
 */
export function drain(req: IncomingMessage): Promise<boolean> {
  if (req.readableEnded || req.destroyed) return Promise.resolve(req.readableEnded)
  return new Promise((resolve) => {
    let drained = 0
    const finish = (atEnd: boolean) => {
      req.off('data', count).off('end', end).off('close', cut).off('error', cut).pause()
      resolve(atEnd)
    }
    const count = (chunk: Buffer) => {
      drained += chunk.length
      if (drained > MAX_DRAINED_BYTES) finish(false)
    }
    const end = () => finish(true)
    const cut = () => finish(false)
    req.on('end', end).on('close', cut).on('error', cut).on('data', count).resume()
  })
}

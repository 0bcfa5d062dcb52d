import type { IncomingMessage } from 'node:http'

/** What is read of a refused body at most: beyond it the connection is cut. */
const MAX_DRAINED_BYTES = 32 * 1024 * 1024

/** Reads what is left of a refused request and throws it away. Resolves when there is no more. */
export function drain(req: IncomingMessage): Promise<void> {
  if (req.readableEnded || req.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let drained = 0
    req.on('data', (chunk: Buffer) => {
      drained += chunk.length
      if (drained > MAX_DRAINED_BYTES) req.destroy()
    })
    for (const event of ['end', 'close', 'error']) req.once(event, () => resolve())
  })
}

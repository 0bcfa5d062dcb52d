import type { LocalAws, LocalAwsOptions } from '../local-aws/index.js'
import { listenError } from '../serve.js'

/** What the command line uses of a local AWS. */
export type OpenLocalAws = Pick<LocalAws, 'endpoint' | 'dir' | 'close'>

/** Starts a local AWS. It is loaded only here: who serves real streams never does. */
export async function openLocalAws(options: LocalAwsOptions): Promise<OpenLocalAws> {
  const { startLocalAws } = await import('../local-aws/index.js')
  try {
    return await startLocalAws(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== 'listen') throw error
    throw listenError(error as NodeJS.ErrnoException, options.host ?? '127.0.0.1', options.port ?? 0)
  }
}

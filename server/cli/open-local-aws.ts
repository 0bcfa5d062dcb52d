import type { LocalAws, LocalAwsOptions } from '../local-aws/index.js'

/** What the command line uses of a local AWS. */
export type OpenLocalAws = Pick<LocalAws, 'endpoint' | 'dir' | 'close'>

/** Starts a local AWS. It is loaded only here: who serves real streams never does. */
export async function openLocalAws(options: LocalAwsOptions): Promise<OpenLocalAws> {
  const { startLocalAws } = await import('../local-aws/index.js')
  return startLocalAws(options)
}

import type { LocalAws, LocalAwsOptions } from '../local-aws/index.js'

/** What the command line uses of a local AWS. */
export interface OpenLocalAws extends Pick<LocalAws, 'endpoint' | 'dir' | 'close'> {
  /** The URL of the queue of this name, which is made when it is first asked for. */
  queueUrl(name: string): string
}

/** Starts a local AWS. It is loaded only here: who serves real streams never does. */
export async function openLocalAws(options: LocalAwsOptions): Promise<OpenLocalAws> {
  const { startLocalAws } = await import('../local-aws/index.js')
  const { endpoint, dir, close, createQueue } = await startLocalAws(options)
  const urls = new Map<string, string>()
  const queueUrl = (name: string) => {
    const url = urls.get(name) ?? createQueue(name)
    urls.set(name, url)
    return url
  }
  return { endpoint, dir, close, queueUrl }
}

const NAME = /^[\w-]{1,80}(?:\.fifo)?$/
const PATH = /^\/(\d{12})\/([\w-]{1,80}(?:\.fifo)?)$/

export function formatQueueUrl(origin: string, accountId: string, name: string): string {
  return `${origin}/${accountId}/${name}`
}

/**
 * The account and the name, whatever the host: it may have been made for another name of this one. SQS takes the mere
 * name of a queue as well, which is then one of the caller's account.
 */
export function parseQueueUrl(url: string): { accountId?: string; name: string } | undefined {
  if (NAME.test(url)) return { name: url }
  const path = /^https?:\/\/[^/]+(\/.*)$/.exec(url)?.[1] ?? url
  const [, accountId, name] = PATH.exec(path) ?? []
  return accountId === undefined || name === undefined ? undefined : { accountId, name }
}

import { AwsError } from '../aws-error.js'

const PATH = /^\/(\d{12})\/([\w-]{1,80}(?:\.fifo)?)$/

export function formatQueueUrl(origin: string, accountId: string, name: string): string {
  return `${origin}/${accountId}/${name}`
}

/** The account and the name, whatever the host: it may have been made for another name of this one. */
export function parseQueueUrl(url: string): { accountId: string; name: string } | undefined {
  const path = /^https?:\/\/[^/]+(\/.*)$/.exec(url)?.[1] ?? url
  const [, accountId, name] = PATH.exec(path) ?? []
  return accountId === undefined || name === undefined ? undefined : { accountId, name }
}

/** @throws AwsError InvalidAddress */
export function requireQueueUrl(url: string): { accountId: string; name: string } {
  const parsed = parseQueueUrl(url)
  if (parsed !== undefined) return parsed
  throw new AwsError('InvalidAddress', 404, `The address ${url} is not valid for this endpoint.`)
}

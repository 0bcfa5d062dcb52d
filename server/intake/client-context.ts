import type { Sender } from '../http/sender.js'
import { isJsonObject } from '../json-object.js'
import type { Channel } from './channel.js'
import { type IpPolicy, withPolicy } from './ip-policy.js'

export interface ClientContextOptions {
  readonly channel: unknown
  readonly sender: Sender
  readonly policy: IpPolicy
}

const SERVER: Channel = 'server'

/**
 * The context with the address and the user agent of the device that made the event. Of an event that a server made
 * they would be that server's, so it gets neither; and what the event says itself is never replaced. The source's
 * policy holds for addresses that the event brought as well.
 */
export function clientContext(context: unknown, { channel, sender, policy }: ClientContextOptions): unknown {
  if (context !== undefined && context !== null && !isJsonObject(context)) return context
  const isClient = channel !== SERVER
  // Nothing to add and nothing to hide: no copy for each event.
  if (!isClient && policy === 'keep') return context
  const ip = ipOf(context?.['ip'] ?? (isClient ? sender.ip : undefined), policy)
  const userAgent = context?.['userAgent'] ?? (isClient ? sender.userAgent : undefined)
  const { ip: _given, ...own } = context ?? {}
  const added = { ...(ip === undefined ? {} : { ip }), ...(userAgent === undefined ? {} : { userAgent }) }
  const isEmpty = (context === undefined || context === null) && Object.keys(added).length === 0
  return isEmpty ? context : { ...own, ...added }
}

/** The context with its own address as the policy says, and nothing added. */
export function withIpPolicy(context: Readonly<Record<string, unknown>>, policy: IpPolicy): unknown {
  if (policy === 'keep') return context
  const { ip: given, ...own } = context
  const ip = ipOf(given, policy)
  return ip === undefined ? own : { ...own, ip }
}

function ipOf(ip: unknown, policy: IpPolicy): unknown {
  if (ip === undefined || ip === null) return undefined
  if (typeof ip === 'string') return withPolicy(ip, policy)
  // No address is one that is no text, but it may hold one.
  return policy === 'keep' ? ip : undefined
}

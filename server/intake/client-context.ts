import type { Sender } from '../http/sender.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { Channel } from './channel.js'
import { type IpPolicy, withPolicy } from './ip-policy.js'

export interface ClientContextOptions {
  readonly channel: unknown
  readonly sender: Sender
  readonly policy: IpPolicy
}

const SERVER: Channel = 'server'

/** Members of a context that are set over its own; one that is `undefined` is taken out. */
export interface ContextChanges {
  readonly ip?: unknown
  readonly userAgent?: unknown
}

/**
 * What to set in a context: the address and the user agent of the device that made the event. Of an event that a
 * server made they would be that server's, so it gets neither; and what the event says itself is never replaced. The
 * source's policy holds for addresses that the event brought as well. `undefined` where nothing changes.
 */
export function contextChanges(
  context: unknown,
  { channel, sender, policy }: ClientContextOptions,
): ContextChanges | undefined {
  if (context !== undefined && context !== null && !isJsonObject(context)) return undefined
  const isClient = channel !== SERVER
  if (!isClient && policy === 'keep') return undefined
  const own = context ?? NO_CONTEXT
  const ip = ipOf(own['ip'] ?? (isClient ? sender.ip : undefined), policy)
  const userAgent = own['userAgent'] ?? (isClient ? sender.userAgent : undefined)
  const isSameIp = ip === own['ip']
  const isSameAgent = userAgent === undefined || userAgent === own['userAgent']
  if (isSameIp && isSameAgent) return undefined
  return { ...(isSameIp ? {} : { ip }), ...(isSameAgent ? {} : { userAgent }) }
}

/** The context with the changes made; a copy, where there are any. */
export function changedContext(context: unknown, changes: ContextChanges | undefined): unknown {
  if (changes === undefined) return context
  const own = isJsonObject(context) ? context : NO_CONTEXT
  if (!('ip' in changes) || changes.ip !== undefined) return { ...own, ...changes }
  const { ip: _taken, ...kept } = own
  const { ip: _out, ...set } = changes
  return isJsonObject(context) || Object.keys(set).length > 0 ? { ...kept, ...set } : context
}

const NO_CONTEXT: JsonObject = {}

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

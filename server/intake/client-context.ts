import type { Sender } from '../http/sender.js'
import type { Channel } from './channel.js'
import { type IpPolicy, withPolicy } from './ip-policy.js'
import type { LineWriter } from './line-writer.js'
import type { ScannedEvent } from './scanned-event.js'
import { CLIENT_KEYS, type SharedMembers } from './shared-members.js'

const SERVER: Channel = 'server'

type ClientKey = (typeof CLIENT_KEYS)[number]

export interface ClientContextOptions {
  readonly channel: unknown
  readonly sender: Sender
  readonly policy: IpPolicy
  readonly shared: SharedMembers | undefined
}

/**
 * Writes the context of an event: its own over that of its batch, with the address and the user agent of the device
 * that made the event. Those of a server's events would be the server's, so it gets neither; and what the event says
 * itself is never replaced. The source's policy holds for addresses that the event brought as well.
 */
export function writeContext(line: LineWriter, event: ScannedEvent, options: ClientContextOptions): void {
  const shared = options.shared?.has('context') ? options.shared : undefined
  if (event.hasObject('context')) return editContext(line, event, shared, options)
  const members: string[] = []
  if (shared !== undefined) members.push(shared.textOf('context'))
  else if (event.has('context') && !isNothing(event)) return
  for (const key of CLIENT_KEYS)
    members.push(memberText(key, clientValue(key, shared?.body, options), shared?.body))
  const text = members.filter((member) => member !== '').join(',')
  if (text === '' && shared === undefined) return
  if (event.has('context')) line.replace(event.startOf('context'), event.endOf('context'), `{${text}}`)
  else line.add('context', `{${text}}`)
}

/** Applies the policy to the address in the event's own context, and adds nothing. */
export function writeIpPolicy(line: LineWriter, event: ScannedEvent, policy: IpPolicy): void {
  if (policy === 'keep' || !event.hasObject('context') || !event.has('ip')) return
  const ip = withIpPolicy(event.valueOf('ip'), policy)
  if (ip === undefined) line.remove('ip', event.startOf('ip'), event.endOf('ip'))
  else line.replace(event.startOf('ip'), event.endOf('ip'), JSON.stringify(ip))
}

/** Edits the event's own context in place. */
function editContext(
  line: LineWriter,
  event: ScannedEvent,
  shared: SharedMembers | undefined,
  options: ClientContextOptions,
): void {
  const added = [shared?.missingIn(event, 'context') ?? '']
  let isIpRemoved = false
  for (const key of CLIENT_KEYS) {
    // A user agent that the event brought stays as it came: it may be long, and need not be read.
    if (key === 'userAgent' && event.has(key) && !event.isText(key, 'null')) continue
    const from = event.has(key) ? event : shared?.body
    const value = clientValue(key, from, options)
    if (from !== event) added.push(memberText(key, value, from))
    else if (value === undefined) isIpRemoved = true
    else if (value !== event.valueOf(key)) {
      line.replace(event.startOf(key), event.endOf(key), JSON.stringify(value))
    }
  }
  const text = added.filter((member) => member !== '').join(',')
  if (isIpRemoved) line.remove('ip', event.startOf('ip'), event.endOf('ip'), text)
  else if (text !== '') line.insert(event.startOf('context'), event.isEmpty('context'), text)
}

/**
 * What the member comes to, `undefined` for none.
 *
 * @param from - what holds the context's own member, if anything does
 */
function clientValue(
  key: ClientKey,
  from: ScannedEvent | undefined,
  { channel, sender, policy }: ClientContextOptions,
): unknown {
  const own = from?.valueOf(key)
  const value = own ?? (channel === SERVER ? undefined : sender[key]) ?? own
  return key === 'ip' ? withIpPolicy(value, policy) : value
}

/** As JSON, the text that came where the value is the one that came; empty where there is no value. */
function memberText(key: ClientKey, value: unknown, from: ScannedEvent | undefined): string {
  if (value === undefined) return ''
  const text = value === from?.valueOf(key) ? from?.textOf(key) : JSON.stringify(value)
  return `"${key}":${text}`
}

/** @returns `undefined` where no address may be recorded */
function withIpPolicy(ip: unknown, policy: IpPolicy): unknown {
  if (typeof ip === 'string') return withPolicy(ip, policy)
  // Only text is an address, but another value may hold one.
  return policy === 'keep' ? ip : undefined
}

/** PHP writes an empty context as an empty array. */
function isNothing(event: ScannedEvent): boolean {
  return event.valueOf('context') === null || event.isEmpty('context')
}

import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/** Requests come over connections that stay, and through the same few proxies. No address is longer. */
const recent = new LRUCache<string, { readonly address: IpAddress | undefined }>({ max: 1_000 })
const MAX_LENGTH = 64

/**
 * The address that a text is, without its zone, which means something on one machine alone. IPv4 where it is mapped
 * into IPv6.
 *
 * SECURITY: checked by Node's stricter rules first. For ipaddr.js `010.1.1.1`, `1` and `::%:` are addresses too.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const known = recent.get(text)
  if (known !== undefined) return known.address
  const address = parsed(text)
  recent.set(text, { address })
  return address
}

function parsed(text: string): IpAddress | undefined {
  if (isIP(text) === 0) return undefined
  const [address = ''] = text.split('%', 1)
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined
}

/**
 * Whose address that is, as far as addresses tell: an IPv6 network of 64 bits is the smallest that anyone gets, and holds
 * more addresses than anybody could count.
 *
 * @param address - in its normal form
 * @see https://www.rfc-editor.org/rfc/rfc6177
 */
export function networkOf(address: string | undefined): string | undefined {
  const ip = address === undefined ? undefined : parseIp(address)
  if (ip === undefined || ip.kind() === 'ipv4') return ip?.toString()
  return `${ip.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`
}

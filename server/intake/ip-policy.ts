import ipaddr from 'ipaddr.js'
import { type IpAddress, parseIp } from '../http/ip-address.js'

/** What becomes of `context.ip`: `truncate` keeps 24 bits of IPv4 and 48 of IPv6. */
export type IpPolicy = 'keep' | 'truncate' | 'drop'

/** What is left of IPv6 addresses: /48, what a provider gives one customer at most. */
const KEPT_IPV6_PARTS = 3

/**
 * An address as it may be recorded: whole, without the part that tells one person from another (IPv4 to /24, IPv6 to
 * /48), or not at all. An IPv4 address in the clothes of IPv6, as dual-stack sockets name it, becomes IPv4.
 *
 * SECURITY: what is no address is recorded only where nothing is to be hidden.
 */
export function withPolicy(ip: string, policy: IpPolicy): string | undefined {
  if (policy === 'drop') return undefined
  const parsed = parseIp(ip)
  if (policy === 'truncate') return parsed === undefined ? undefined : truncated(parsed).toString()
  return parsed?.kind() === 'ipv4' ? parsed.toString() : ip
}

function truncated(ip: IpAddress): IpAddress {
  if (ip instanceof ipaddr.IPv4) return new ipaddr.IPv4([...ip.octets.slice(0, 3), 0])
  return new ipaddr.IPv6(ip.parts.map((part, index) => (index < KEPT_IPV6_PARTS ? part : 0)))
}

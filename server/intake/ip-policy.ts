import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** What becomes of the address an event came from. */
export type IpPolicy = 'keep' | 'truncate' | 'drop'

export type Ip = ipaddr.IPv4 | ipaddr.IPv6

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

/**
 * The address that a text is, without its zone, which means something on one machine alone. IPv4 where it is mapped
 * into IPv6.
 *
 * SECURITY: checked by Node's stricter rules first. For ipaddr.js `010.1.1.1`, `1` and `::%:` are addresses too.
 */
export function parseIp(text: string): Ip | undefined {
  if (isIP(text) === 0) return undefined
  const [address = ''] = text.split('%', 1)
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined
}

function truncated(ip: Ip): Ip {
  if (ip instanceof ipaddr.IPv4) return new ipaddr.IPv4([...ip.octets.slice(0, 3), 0])
  return new ipaddr.IPv6(ip.parts.map((part, index) => (index < KEPT_IPV6_PARTS ? part : 0)))
}

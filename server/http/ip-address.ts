import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/**
 * The address that a text is, without its zone, which means something on one machine alone. IPv4 where it is mapped
 * into IPv6.
 *
 * SECURITY: checked by Node's stricter rules first. For ipaddr.js `010.1.1.1`, `1` and `::%:` are addresses too.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (isIP(text) === 0) return undefined
  const [address = ''] = text.split('%', 1)
  return ipaddr.isValid(address) ? ipaddr.process(address) : undefined
}

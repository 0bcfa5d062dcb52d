import type { IncomingMessage } from 'node:http'
import proxyAddr from 'proxy-addr'
import { type IpAddress, parseIp } from './ip-address.js'

/**
 * Which proxies' headers are believed, as Express's `trust proxy` has it: all or none, the first so many, or those of
 * some addresses: IPs, CIDRs, `loopback`, `linklocal`, `uniquelocal`; several in a list or between commas.
 */
export type TrustSetting = boolean | number | string | readonly string[]

/** Whether a proxy is believed. `hop` is 0 for the direct peer, 1 for the one before it, and so on. */
export type Trust = (address: string | undefined, hop: number) => boolean

const NAMED_RANGES: ReadonlySet<string> = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** `1.2.3.4:5678` (Azure), `[2001:db8::1]:80`. */
const WITH_PORT = /^(?:(?<ipv4>[\d.]+):\d{1,5}|\[(?<ipv6>[^\]]+)\](?::\d{1,5})?)$/

/**
 * Compiles a setting, once.
 *
 * SECURITY: with `true`, and with more proxies than there are, a client can say that it is anyone.
 *
 * @throws TypeError for what is no {@link isTrustSetting}
 */
export function trustOf(setting: TrustSetting): Trust {
  if (typeof setting === 'boolean') return () => setting
  if (typeof setting === 'number') {
    if (!Number.isSafeInteger(setting) || setting < 0) {
      throw new TypeError(`${setting} is no number of proxies; use a whole number from 0`)
    }
    return (_address, hop) => hop < setting
  }
  const isTrusted = compiled(typeof setting === 'string' ? setting.split(',') : setting)
  return (address, hop) => {
    const ip = addressIn(address)
    return ip !== undefined && isTrusted(ip.toString(), hop)
  }
}

export function isTrustSetting(value: unknown): value is TrustSetting {
  const isOfType =
    ['boolean', 'number', 'string'].includes(typeof value) ||
    (Array.isArray(value) && value.every((entry) => typeof entry === 'string'))
  if (!isOfType) return false
  try {
    trustOf(value as TrustSetting)
    return true
  } catch {
    return false
  }
}

/**
 * The address of the client behind the trusted proxies, in its normal form. Where `X-Forwarded-For` holds garbage, it is
 * that of the last proxy that has one. `undefined` for a peer without an address, as that of a Unix socket.
 */
export function clientAddressOf(req: IncomingMessage, trust: Trust): string | undefined {
  if (req.headers['x-forwarded-for'] === undefined) return addressIn(req.socket.remoteAddress)?.toString()
  const addresses: readonly (string | undefined)[] = proxyAddr.all(req, trust)
  for (const address of addresses.toReversed()) {
    const ip = addressIn(address)
    if (ip !== undefined) return ip.toString()
  }
  return undefined
}

/** Whether the direct peer is believed in what it says of the client's protocol, host and ID. */
export function isTrustedPeer(req: IncomingMessage, trust: Trust): boolean {
  return trust(req.socket.remoteAddress, 0)
}

function compiled(texts: readonly string[]): (address: string, hop: number) => boolean {
  const entries = texts.map((text) => text.trim())
  for (const entry of entries) {
    const [address = ''] = entry.split('/', 1)
    if (!NAMED_RANGES.has(entry) && parseIp(address) === undefined) {
      throw new TypeError(`${JSON.stringify(entry)} is no IP address, CIDR or named range`)
    }
  }
  return proxyAddr.compile(entries)
}

/** The address in what a proxy wrote, without its port. */
function addressIn(text: string | undefined): IpAddress | undefined {
  if (text === undefined) return undefined
  const { ipv4, ipv6 } = WITH_PORT.exec(text)?.groups ?? {}
  return parseIp(ipv4 ?? ipv6 ?? text)
}

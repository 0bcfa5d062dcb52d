import type { IncomingMessage } from 'node:http'
import type { Trust } from '../http/client-address.js'
import { type ForwardedHeader, forwardedHeader, hostOf } from '../http/forwarded-header.js'

/** Where browsers find this server. Every part is safe in a script, a URL and a header. */
export interface PublicUrl {
  readonly protocol: 'http' | 'https'
  /** With its port, where that is not the protocol's own. */
  readonly host: string
  /** Where the server is mounted: `''` or `/mount`. */
  readonly path: string
  /** From the configuration, rather than from headers that whoever asks can choose. */
  readonly isConfigured: boolean
}

export interface PublicUrlOptions {
  /** Such as `https://events.example.com/analytics`. */
  readonly configured: PublicUrl | undefined
  /** Says whose `X-Forwarded-*` headers to believe. */
  readonly trust: Trust
}

type MountedRequest = IncomingMessage & { readonly baseUrl?: string; readonly originalUrl?: string }

// SECURITY: what passes these enters a script that runs in the pages of others.
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/
const PATH = /^(?:\/[\w\-.~%]+)*$/

/** `https://host/mount` */
export function baseOf({ protocol, host, path }: PublicUrl): string {
  return `${protocol}://${host}${path}`
}

/** Where events go, in the words of analytics.js: without protocol. */
export function apiHostOf(url: PublicUrl, customPath: string | undefined): string {
  return `${url.host}${url.path}${customPath ?? '/v1'}`
}

/** The URL as an administrator writes it, `undefined` if it is none that browsers could be sent to. */
export function parsePublicUrl(text: string): PublicUrl | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const isPlain = [url.username, url.password, url.search, url.hash].every((part) => part === '')
  const protocol = protocolNamed(url.protocol.slice(0, -1))
  if (!isPlain || protocol === undefined) return undefined
  return checked({ protocol, host: url.host, path: url.pathname, isConfigured: true })
}

/** Where whoever sent the request finds this server, `undefined` if the request's headers do not tell. */
export function publicUrlOf(
  req: MountedRequest,
  { configured, trust }: PublicUrlOptions,
): PublicUrl | undefined {
  if (configured !== undefined) return configured
  const forwarded = (name: ForwardedHeader) => forwardedHeader(req, name, trust)
  return checked({
    protocol: protocolNamed(forwarded('x-forwarded-proto')?.toLowerCase()) ?? protocolOf(req),
    host: hostOf(req, trust) ?? '',
    path: withoutEndSlash(forwarded('x-forwarded-prefix') ?? '') + mountPathOf(req),
    isConfigured: false,
  })
}

function checked({ protocol, host, path, isConfigured }: PublicUrl): PublicUrl | undefined {
  const lowerHost = host.toLowerCase()
  const mount = withoutEndSlash(path)
  return HOST.test(lowerHost) && PATH.test(mount)
    ? { protocol, host: lowerHost, path: mount, isConfigured }
    : undefined
}

function protocolOf(req: IncomingMessage): 'http' | 'https' {
  return 'encrypted' in req.socket && req.socket.encrypted === true ? 'https' : 'http'
}

function protocolNamed(name: string | undefined): 'http' | 'https' | undefined {
  return name === 'http' || name === 'https' ? name : undefined
}

/** Express says where it mounted a handler; Connect only cuts the mount path off the URL. */
function mountPathOf({ baseUrl, originalUrl, url = '' }: MountedRequest): string {
  if (baseUrl !== undefined) return baseUrl
  return originalUrl?.endsWith(url) ? originalUrl.slice(0, originalUrl.length - url.length) : ''
}

function withoutEndSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

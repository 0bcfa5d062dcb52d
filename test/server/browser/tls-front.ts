import { execFileSync } from 'node:child_process'
import { type IncomingMessage, type RequestListener, request } from 'node:http'
import { createSecureServer, type ServerHttp2Session } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach } from '@jest/globals'

interface Certificate {
  readonly key: string
  readonly cert: string
}

const closing: (() => Promise<unknown>)[] = []

afterEach(() => Promise.all(closing.splice(0).map((close) => close())))

/** One that no authority has signed, or undefined where there is no OpenSSL. */
export function makeCertificate(names: readonly string[] = ['localhost']): Certificate | undefined {
  const alternatives = names.map((name) => `DNS:${name}`).join(',')
  const options =
    '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -keyout - -out - ' +
    `-addext subjectAltName=${alternatives}`
  try {
    const pem = execFileSync('openssl', ['req', '-x509', ...options.split(' ')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return { key: partOf(pem, 'PRIVATE KEY'), cert: partOf(pem, 'CERTIFICATE') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function partOf(pem: string, name: string): string {
  const [part] = new RegExp(`-----BEGIN ${name}-----[^]+?-----END ${name}-----`).exec(pem) ?? []
  if (part === undefined) throw new Error(`OpenSSL made no ${name}`)
  return part
}

/** Listens with TLS until the test is over. Returns the URL. */
export async function listenWithTls(certificate: Certificate, handler: RequestListener): Promise<string> {
  const server = createServer(certificate, handler)
  closing.push(() => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    return closed
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

/** {@link listenWithTls} for a server of HTTP/2, by the compatibility API of Node. */
export async function listenWithHttp2(certificate: Certificate, handler: RequestListener): Promise<string> {
  const server = createSecureServer({ ...certificate, allowHTTP1: true }, handler as never)
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => sessions.add(session))
  closing.push(() => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const session of sessions) session.destroy()
    return closed
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `https://localhost:${(server.address() as AddressInfo).port}`
}

/** A reverse proxy before `url`, which says for whom it asks: `client`, whatever address that has here. */
export function frontOf(
  url: () => string,
  client: string,
  protocol: 'http' | 'https' = 'https',
): RequestListener {
  return (req, res) => {
    const headers = {
      ...req.headers,
      host: new URL(url()).host,
      'x-forwarded-proto': protocol,
      'x-forwarded-host': req.headers.host,
      'x-forwarded-for': client,
    }
    const answered = (answer: IncomingMessage) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    }
    const onward = request(new URL(req.url ?? '/', url()), { method: req.method, headers }, answered)
    onward.on('error', () => res.destroy())
    req.pipe(onward)
  }
}

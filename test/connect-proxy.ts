import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ConnectProxy {
  readonly url: string
  /** What tunnels were asked for, as `host:port`. */
  readonly tunnels: string[]
  /** The Proxy-Authorization header of each. */
  readonly authorizations: (string | undefined)[]
  close(): void
}

export interface ConnectProxyOptions {
  /** Where a tunnel to a host leads. @default there */
  readonly routes?: Readonly<Record<string, number>>
  /** Answers in place of opening a tunnel; `undefined` to answer nothing. */
  readonly refuse?: (socket: Socket) => void
}

/** A proxy that opens tunnels by CONNECT, as those of companies do. */
export async function startConnectProxy({ routes, refuse }: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const tunnels: string[] = []
  const authorizations: (string | undefined)[] = []
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connect', ({ url = '', headers }: IncomingMessage, socket: Socket) => {
    tunnels.push(url)
    authorizations.push(headers['proxy-authorization'])
    sockets.add(socket)
    socket.on('error', () => {})
    if (refuse !== undefined) return refuse(socket)
    const [host = '', port = ''] = url.split(':')
    const target = connect(routes?.[host] ?? Number(port), '127.0.0.1')
    sockets.add(target)
    target.on('error', () => socket.destroy())
    target.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    socket.on('close', () => target.destroy())
    target.on('close', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tunnels,
    authorizations,
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

import type { Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { closeGently, cut, problemText } from './bare-connection.js'
import { HttpProblem } from './http-problem.js'

/** Node.js reads these settings at each connection, but its types leave them out. */
interface HalfOpenServer {
  /** Whether a connection stays open for writing when its sender closes its own half. Always so without TLS. */
  allowHalfOpen: boolean
  /** Whether such a sender still gets its answer. */
  httpAllowHalfOpen: boolean
}

/** The servers that `answerBrokenRequests` was called with. */
const SERVERS = new WeakSet<object>()

/**
 * Makes a server answer every whole request, whatever follows it on its connection. When Node.js cannot read what
 * follows a request, it writes `400 Bad Request` in place of the pending answer, and SDKs then drop their events. When a
 * sender closes its half of the connection, Node.js gives it no answer at all.
 *
 * With this, the server writes all pending answers and then closes the connection. If no answer is pending, it answers
 * an unreadable request in JSON, with 400, 408 or 431. This holds for every request of the server, not only for those of
 * the middleware: leave out a `clientError` listener of your own, and do not rely on `close` to tell you that a client
 * has gone while you prepare its answer.
 *
 * `serve` calls this itself. Call it once for a server of your own.
 *
 * @param server - of `node:http` or `node:https`; Express's `app.listen()` returns it
 * @see https://nodejs.org/api/http.html#event-clienterror
 *
 * @example
 * answerBrokenRequests(app.listen(3000))
 */
export function answerBrokenRequests(server: Server | HttpsServer): void {
  if (SERVERS.has(server)) return
  SERVERS.add(server)
  const connections = new WeakMap<Duplex, Connection>()
  Object.assign(server, { allowHalfOpen: true, httpAllowHalfOpen: true } satisfies HalfOpenServer)
  server.prependListener('request', (req, res) => {
    const connection = connections.get(req.socket)
    if (connection === undefined) connections.set(req.socket, new Connection(req.socket, res))
    else connection.add(res)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const connection = connections.get(socket) ?? new Connection(socket)
    connections.set(socket, connection)
    try {
      connection.break(error)
    } catch {
      cut({ socket })
    }
  })
}

/** A connection, and the answers that it still owes. */
class Connection {
  readonly #socket: Duplex
  /** In the order of their requests. Some may be written already. */
  readonly #responses: ServerResponse[]
  #isBroken = false

  constructor(socket: Duplex, first?: ServerResponse) {
    this.#socket = socket
    this.#responses = first === undefined ? [] : [first]
  }

  add(res: ServerResponse): void {
    while (this.#responses[0]?.writableFinished) this.#responses.shift()
    this.#responses.push(res)
  }

  /** Called when Node.js cannot read any further, and again for each piece that still comes. */
  break(error: NodeJS.ErrnoException): void {
    if (this.#isBroken) return
    this.#isBroken = true
    if (!this.#socket.writable || error.code === 'ECONNRESET') return void this.#socket.destroy()
    const last = this.#responses.at(-1)
    if (last !== undefined && !last.headersSent && last.req.complete) last.shouldKeepAlive = false
    // Node.js calls this after an answer with `Connection: close`. It would reset a connection that still receives.
    Object.assign(this.#socket, { destroySoon() {} })
    this.#socket.pause()
    this.#closeWhenAnswered(error)
  }

  #closeWhenAnswered(error: NodeJS.ErrnoException): void {
    const owed = this.#responses.find((res) => !res.writableFinished && (res.req.complete || res.headersSent))
    if (owed !== undefined) owed.once('finish', () => this.#closeWhenAnswered(error))
    else this.#close(error)
  }

  #close(error: NodeJS.ErrnoException): void {
    const text = this.#isUnasked(error) ? undefined : problemText(problemOf(error.code))
    closeGently(this.#socket, text)
    // SECURITY: a slow sender holds memory, so do not wait for it.
    if (error.code === TIMEOUT) this.#socket.destroy()
  }

  /** Whether nobody waits for an answer: a sender that keeps the connection would take it for that of its next request. */
  #isUnasked({ code }: NodeJS.ErrnoException): boolean {
    const last = this.#responses.at(-1)
    if (last === undefined || !last.writableFinished) return false
    // Bytes that begin no request are the rest of the last one: its sender counted characters in place of bytes.
    return !last.req.complete || last.shouldKeepAlive === false || code === 'HPE_INVALID_METHOD'
  }
}

const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT'

function problemOf(code: string | undefined): HttpProblem {
  switch (code) {
    case TIMEOUT:
      return new HttpProblem(408, 'request_timeout', 'The request took too long to arrive; send it again')
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem(431, 'headers_too_large', 'The headers or the URL are too large')
    case 'HPE_INVALID_EOF_STATE':
      return new HttpProblem(
        400,
        'malformed_request',
        'The connection ended before the request did; Content-Length is to be the bytes of the body',
      )
    default:
      return new HttpProblem(400, 'malformed_request', 'This is not a valid HTTP request')
  }
}

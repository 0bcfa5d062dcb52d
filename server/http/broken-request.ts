import type { Server, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { closeGently, cut, problemText } from './bare-connection.js'
import { HttpProblem } from './http-problem.js'

/** What Node.js has and its types do not: whether a sender that closes its half of a connection gets its answer. */
interface HalfOpenServer {
  /** Of the connection. A server without TLS has it by itself. */
  allowHalfOpen: boolean
  /** Of HTTP. */
  httpAllowHalfOpen: boolean
}

/** Those that do it already. */
const SERVERS = new WeakSet<object>()

/**
 * Makes a server answer every request that is whole, whatever follows it on its connection. Node.js by itself writes
 * `400 Bad Request` in place of an answer that is still to come when it cannot read what follows the request, on which
 * SDKs drop their events; and it gives no answer to a sender that has closed its half of the connection.
 *
 * With this, the answers that are under way are written and the connection is closed after them. What Node.js cannot
 * read as a request, and nothing is under way before it, is answered in JSON: 400, 408 or 431. All of this holds for
 * every request of the server. Do not add a `clientError` listener of your own beside it.
 *
 * `serve` does it itself. Call it once for a server of your own.
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
  /** In the order of their requests. The first ones may be written already, and the last one. */
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

  /** Node.js can read no further. It says so again for each piece that still comes. */
  break(error: NodeJS.ErrnoException): void {
    if (this.#isBroken) return
    this.#isBroken = true
    if (!this.#socket.writable || error.code === 'ECONNRESET') return void this.#socket.destroy()
    const last = this.#responses.at(-1)
    if (last !== undefined && !last.headersSent && last.req.complete) last.shouldKeepAlive = false
    // Node.js calls this after an answer that says `Connection: close`, and it resets what is still being sent.
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
    // Who sends slowly holds memory, and is not waited for.
    if (error.code === TIMEOUT) this.#socket.destroy()
  }

  /** Whether an answer would be taken for that of another request: senders that keep a connection read what comes next. */
  #isUnasked({ code }: NodeJS.ErrnoException): boolean {
    const last = this.#responses.at(-1)
    if (last === undefined || !last.writableFinished) return false
    // What follows a request is the rest of it as a rule: its sender has counted characters in place of bytes.
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

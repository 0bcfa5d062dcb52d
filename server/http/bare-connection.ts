import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import { Duplex } from 'node:stream'
import { systemClock } from '../../plugin/clock.js'
import { answerProblem, problemBody } from './answer.js'
import type { HttpProblem } from './http-problem.js'

/**
 * How long to go on reading after the last answer, in ms. Closing a connection that holds unread bytes resets it, and
 * the sender may lose the answer (RFC 9112, 9.6).
 */
const LINGER_MS = 2_000

/** The text of a whole answer, for connections that have no usable response object. */
export function problemText(problem: HttpProblem): string {
  const body = JSON.stringify(problemBody(problem))
  return [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

/** Writes `text`, ends the connection, and reads on for a moment so that the sender gets the answer. */
export function closeGently(socket: Duplex, text = ''): void {
  const cancel = systemClock.after(LINGER_MS, () => cut({ socket }))
  socket.once('close', cancel)
  socket.end(text)
  socket.resume()
}

/**
 * Answers a failed request even if a host app has broken its response object: if the methods of the object throw, this
 * writes to the socket, and if that fails too, it cuts the connection. Never throws.
 */
export function answerInAnyCase(req: IncomingMessage, res: ServerResponse, problem: HttpProblem): void {
  try {
    answerProblem(res, problem)
    if (res.writableEnded) return
  } catch {
    // The response object is unusable: write to the socket instead.
  }
  try {
    if (isDead(res)) ServerResponse.prototype.detachSocket.call(res, req.socket)
  } catch {
    // Node.js has forgotten the object by now. Only the note of that on a frozen object fails.
  }
  try {
    const { socket } = req
    const isFree = req.httpVersionMajor === 1 && !res.headersSent && socket.writable
    if (isFree) return closeGently(socket, problemText(problem))
  } catch {
    // The socket is unusable too: cut the connection below.
  }
  cut(req)
  // A host app may have replaced the socket of one of the two.
  cut(res)
}

/** Whether Node.js itself would throw on this object, and end the process, when the connection closes. */
function isDead(res: ServerResponse): boolean {
  return Object.isFrozen(res) || typeof res.emit !== 'function'
}

/** HTTP/2's `INTERNAL_ERROR` (RFC 9113, 7). Without it the client takes a cut stream for a whole one. */
const INTERNAL_ERROR = 2

/** The parts of a request or response that `cut` needs. */
interface Cuttable {
  readonly socket: Duplex | null
  /** Only under HTTP/2, where many streams share a connection. */
  readonly stream?: Duplex & { close?(code: number): void }
}

/** Cuts a request's connection, or its stream alone under HTTP/2, whatever a host app has made of it. Never throws. */
export function cut(req: Cuttable): void {
  try {
    const { stream } = req
    if (stream?.close !== undefined) {
      stream.on('error', () => {})
      return stream.close(INTERNAL_ERROR)
    }
    // Call the prototype's method: a host app may have replaced the socket's own.
    if (req.socket) Duplex.prototype.destroy.call(req.socket)
  } catch {
    // Nothing is left to destroy.
  }
}

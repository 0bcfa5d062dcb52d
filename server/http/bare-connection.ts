import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import { Duplex } from 'node:stream'
import { systemClock } from '../../plugin/clock.js'
import { answerProblem, problemBody } from './answer.js'
import type { HttpProblem } from './http-problem.js'

/**
 * How long what a sender still sends is read after its answer, in ms. A connection that is closed with bytes in it that
 * nobody has read is reset, and its answer lost (RFC 9112, 9.6).
 */
const LINGER_MS = 2_000

/** A whole answer, for a connection that has no response object to write it. */
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

/** Ends a connection, after `text` if there is any, and reads on for a moment, so that the answer arrives. */
export function closeGently(socket: Duplex, text = ''): void {
  const cancel = systemClock.after(LINGER_MS, () => cut({ socket }))
  socket.once('close', cancel)
  socket.end(text)
  socket.resume()
}

/**
 * Answers a request that has failed, whatever a host app has done to its response object: without its methods where they
 * throw. Where that cannot be done, the connection is cut. Never throws.
 */
export function answerInAnyCase(req: IncomingMessage, res: ServerResponse, problem: HttpProblem): void {
  try {
    answerProblem(res, problem)
    if (res.writableEnded) return
  } catch {
    // What comes next does without it.
  }
  try {
    if (isDead(res)) ServerResponse.prototype.detachSocket.call(res, req.socket)
  } catch {
    // It has done what it is for, and cannot note that on a frozen object.
  }
  try {
    const { socket } = req
    const isFree = req.httpVersionMajor === 1 && !res.headersSent && socket.writable
    if (isFree) return closeGently(socket, problemText(problem))
  } catch {
    // It is cut instead.
  }
  cut(req)
  // A host app has put something else in place of the socket of one of the two.
  cut(res)
}

/** Node.js itself fails on such an object, and ends the process, when its connection closes. */
function isDead(res: ServerResponse): boolean {
  return Object.isFrozen(res) || typeof res.emit !== 'function'
}

/** HTTP/2's `INTERNAL_ERROR` (RFC 9113, 7). Cut without it, a stream looks whole to its client. */
const INTERNAL_ERROR = 2

/** What of a request this needs. */
interface Cuttable {
  readonly socket: Duplex | null
  /** Under HTTP/2, where many streams share a connection. */
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
    // By the prototype, as a host app may have put something else in its place.
    if (req.socket) Duplex.prototype.destroy.call(req.socket)
  } catch {
    // There is nothing left to take hold of.
  }
}

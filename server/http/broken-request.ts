import { type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { problemBody } from './answer.js'
import { HttpProblem } from './http-problem.js'

/** Answers what Node cannot read as a request, in place of Node's own answer, which has no body. */
export function answerBrokenRequests(server: Server): void {
  const latest = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (req, res) => latest.set(req.socket, res))
  server.on('clientError', (error, socket) => {
    // Of a request that is whole the answer is still to come, and this would be taken for it: events would be let go of.
    const res = latest.get(socket)
    const isOfNext = res?.req.complete && !res.writableFinished
    if (isOfNext) socket.destroy(error)
    else answerBrokenRequest(error, socket)
  })
}

function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const problem = problemOf(error.code)
  const body = JSON.stringify(problemBody(problem))
  socket.write(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
  // As Node does: whoever is broken is not waited for.
  socket.destroy(error)
}

function problemOf(code: string | undefined): HttpProblem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpProblem(408, 'request_timeout', 'The request took too long to arrive; send it again')
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem(431, 'headers_too_large', 'The headers or the URL are too large')
    default:
      return new HttpProblem(400, 'malformed_request', 'This is not a valid HTTP request')
  }
}

import type { ServerResponse } from 'node:http'
import type { HttpProblem } from './http-problem.js'

/** What some SDKs need word for word: any other success is sent again for ever. */
const SUCCESS = JSON.stringify({ success: true })

export function answerSuccess(res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  answerText(res, 200, SUCCESS, headers)
}

export function answerProblem(res: ServerResponse, problem: HttpProblem): void {
  answerJson(res, problem.status, problemBody(problem), problem.headers)
}

/** `message` and `error` say the same: one is what the Python SDK reads, the other the Ruby SDK. */
export function problemBody({ code, message }: HttpProblem) {
  return { code, message, error: message }
}

export function answerJson(
  res: ServerResponse,
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  answerText(res, status, JSON.stringify(value), headers)
}

function answerText(
  res: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent || res.destroyed) return
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    // SECURITY: a browser that opens this must take it for nothing else.
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  })
  res.end(body)
}

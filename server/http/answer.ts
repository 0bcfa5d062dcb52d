import type { ServerResponse } from 'node:http'
import type { HttpProblem } from './http-problem.js'

/** What some SDKs need word for word: any other success is sent again for ever. */
const SUCCESS = JSON.stringify({ success: true })

export function answerSuccess(res: ServerResponse): void {
  answer(res, 200, SUCCESS)
}

export function answerProblem(res: ServerResponse, { status, code, message, headers }: HttpProblem): void {
  // `message` and `error` say the same: one is what the Python SDK reads, the other the Ruby SDK.
  answer(res, status, JSON.stringify({ code, message, error: message }), headers)
}

function answer(
  res: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent || res.destroyed) return
  res.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  })
  res.end(body)
}

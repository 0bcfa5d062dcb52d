import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import express from 'express'
import { answerJson, answerProblem } from './http/answer.js'
import { HttpProblem, internalError } from './http/http-problem.js'
import type { Readiness } from './readiness.js'

/** What `serve` answers besides the proxy: `/healthz` and `/readyz` for who watches it, 404 for all else. */
export function createServeApp(readiness: () => Readiness): RequestListener {
  const app = express()
  app.disable('x-powered-by')
  app.get('/healthz', (_req: IncomingMessage, res: ServerResponse) => answerHealth(res, true, {}))
  app.get('/readyz', (_req: IncomingMessage, res: ServerResponse) => {
    const { ready, ...how } = readiness()
    answerHealth(res, ready, how)
  })
  app.use((_req: IncomingMessage, res: ServerResponse) => {
    answerProblem(res, new HttpProblem(404, 'not_found', 'There is nothing at this path'))
  })
  // Express knows an error handler by its four parameters.
  app.use((_error: unknown, _req: IncomingMessage, res: ServerResponse, _next: unknown) =>
    answerProblem(res, internalError()),
  )
  return app as RequestListener
}

function answerHealth(res: ServerResponse, isWell: boolean, how: object): void {
  answerJson(
    res,
    isWell ? 200 : 503,
    { status: isWell ? 'ok' : 'unavailable', ...how },
    { 'Cache-Control': 'no-store' },
  )
}

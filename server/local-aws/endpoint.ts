import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Authentication } from './authentication.js'
import { AwsError } from './aws-error.js'
import type { LocalAwsCall } from './call.js'
import type { Faults, StruckCall } from './faults.js'
import type { FirehoseState } from './firehose/operation.js'
import { firehoseRoute } from './firehose/route.js'
import { type Reply, replyAfter, replyInstead } from './reply.js'
import type { AwsRequest } from './request.js'
import type { Route, RouteResult } from './route.js'
import { isS3Request, type S3State, s3Route } from './s3/route.js'
import type { Answer } from './service.js'
import type { SqsState } from './sqs/operation.js'
import { isSqsRequest, sqsRoute } from './sqs/route.js'
import type { StsState } from './sts/operation.js'
import { stsRoute } from './sts/route.js'

export interface EndpointParts {
  readonly authentication: Authentication
  readonly faults: Faults
  readonly firehose: FirehoseState
  readonly s3: S3State
  readonly sqs: SqsState
  readonly sts: StsState
  readonly now: () => number
  readonly onCall: (call: LocalAwsCall) => void
  readonly onError: (error: Error) => void
  /** Aborted when the endpoint closes; ends delays. */
  readonly closing: AbortSignal
}

interface Outcome {
  readonly reply: Reply
  readonly errorCode?: string
  readonly roleArn?: string
  readonly fault?: StruckCall['fault']
  readonly result?: RouteResult
}

/** All services behind one address. What a request says decides which of them it is for. */
export class Endpoint {
  readonly #parts: EndpointParts

  constructor(parts: EndpointParts) {
    this.#parts = parts
  }

  /** Never throws: what goes wrong is an answer. */
  async handle(request: AwsRequest): Promise<Reply> {
    const at = this.#parts.now()
    const requestId = randomUUID()
    const route = this.#route(request, requestId)
    const outcome = await this.#outcome(request, route)
    this.#parts.onCall(reportOf(route, outcome, at))
    return this.#withHeaders(outcome.reply, route, requestId)
  }

  #route(request: AwsRequest, requestId: string): Route {
    if (isSqsRequest(request)) return sqsRoute(this.#parts.sqs, request)
    if (isS3Request(request)) return s3Route(this.#parts.s3, request, requestId)
    const isForm = request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')
    const isQuery = isForm || request.method === 'GET'
    return isQuery && !request.headers.has('x-amz-target')
      ? stsRoute(this.#parts.sts, request, requestId)
      : firehoseRoute(this.#parts.firehose, request)
  }

  async #outcome(request: AwsRequest, route: Route): Promise<Outcome> {
    let known: Pick<Outcome, 'roleArn' | 'fault'> = {}
    try {
      if (route.unknown !== undefined) throw route.unknown
      const { caller, region } = this.#parts.authentication.authenticate(request, route.service)
      const roleArn = route.roleArn ?? caller.roleArn
      known = roleArn === undefined ? {} : { roleArn }
      const struck = this.#parts.faults.strike({ ...route, ...known })
      if (struck.fault !== undefined) known = { ...known, fault: struck.fault }
      // A delay ends early only with the endpoint, and then there is no one left to answer.
      if (struck.delayMs > 0) await sleep(struck.delayMs, undefined, { signal: this.#parts.closing })
      const instead = replyInstead(struck.fault, route.service)
      if (instead !== undefined) return { ...known, reply: instead }
      const result = await route.run({ caller, region, recordFault: struck.recordFault })
      return { ...known, reply: replyAfter(struck.fault, result.answer), result }
    } catch (error) {
      if (this.#parts.closing.aborted) return { ...known, reply: { kind: 'cut' } }
      const awsError = this.#asAwsError(error)
      const answer = route.answerError(awsError)
      return { ...known, reply: { kind: 'answer', answer }, errorCode: awsError.code }
    }
  }

  #asAwsError(error: unknown): AwsError {
    if (error instanceof AwsError) return error
    this.#parts.onError(error instanceof Error ? error : new Error(String(error)))
    return new AwsError('InternalFailure', 500, 'The local AWS has a fault of its own.')
  }

  #withHeaders(reply: Reply, route: Route, requestId: string): Reply {
    if (reply.kind !== 'answer' && reply.kind !== 'cut-within') return reply
    const headers: Answer['headers'] = {
      ...reply.answer.headers,
      'x-amzn-requestid': requestId,
      ...(route.service === 'firehose' && { 'x-amz-id-2': randomBytes(48).toString('base64') }),
      // The server's own clock: SDKs correct theirs by it.
      date: new Date(this.#parts.now()).toUTCString(),
    }
    return { ...reply, answer: { ...reply.answer, headers } }
  }
}

function reportOf(route: Route, outcome: Outcome, at: number): LocalAwsCall {
  const { reply, errorCode, fault, result } = outcome
  const roleArn = outcome.roleArn ?? route.roleArn
  return {
    action: route.action,
    at,
    ...(roleArn !== undefined && { roleArn }),
    ...(route.externalId !== undefined && { externalId: route.externalId }),
    ...(route.stream !== undefined && { stream: route.stream }),
    ...(route.queue !== undefined && { queue: route.queue }),
    ...(route.bucket !== undefined && { bucket: route.bucket }),
    ...(result?.records !== undefined && { records: result.records }),
    ...(result?.failedRecords !== undefined && { failedRecords: result.failedRecords }),
    status: reply.kind === 'answer' ? reply.answer.status : 0,
    ...(errorCode !== undefined && { errorCode }),
    ...(fault !== undefined && { fault: fault.kind }),
  }
}

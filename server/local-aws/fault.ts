import * as z from 'zod'

/** Which calls a fault strikes. What is left out does not matter. */
export interface FaultScope {
  /** `PutRecord`, `PutRecordBatch`, `AssumeRole`, `SendMessageBatch`, `PutObject`, … */
  readonly action?: string
  readonly stream?: string
  /** The name of an SQS queue. */
  readonly queue?: string
  /** The name of an S3 bucket. */
  readonly bucket?: string
  /** The role whose credentials make the call; for AssumeRole the role asked for. */
  readonly roleArn?: string
  /** The share that is struck, 0 to 1: of the records for the kinds that say so, else of the calls. @default 1 */
  readonly share?: number
  /** After this many calls the fault is gone. @default no end */
  readonly times?: number
}

/**
 * Something that goes wrong on purpose.
 *
 * @example
 * { kind: 'throttle-records', share: 0.3 }            // three of ten records: "Slow down."
 * { kind: 'error', action: 'AssumeRole', code: 'AccessDenied', status: 403, times: 1 }
 * { kind: 'disconnect-after', stream: 'page_views' }  // taken, but nobody is told
 */
export type Fault = FaultScope &
  (
    | {
        /**
         * Records fail with ServiceUnavailableException: inside HTTP 200, or, for PutRecord, as a 503. So do the
         * entries of an SQS batch.
         */
        readonly kind: 'throttle-records'
      }
    | {
        /**
         * Records fail with InternalFailure: inside HTTP 200, or, for PutRecord, as a 500. So do the entries of an
         * SQS batch.
         */
        readonly kind: 'fail-records'
      }
    | {
        /** The call is answered 503 ServiceUnavailableException, "Slow down." (S3: SlowDown), without effect. */
        readonly kind: 'throttle'
      }
    | {
        /** The call is answered with this error, without effect. */
        readonly kind: 'error'
        readonly code: string
        /** @default 400 */
        readonly status?: number
        readonly message?: string
      }
    | {
        /** The call is answered ExpiredTokenException (STS and S3: ExpiredToken), without effect. */
        readonly kind: 'expired-token'
      }
    | {
        /** The call waits, then is done and answered normally. */
        readonly kind: 'delay'
        readonly ms: number
      }
    | {
        /** The call is never answered and has no effect. */
        readonly kind: 'hang'
      }
    | {
        /** The connection is cut, without effect. */
        readonly kind: 'disconnect'
      }
    | {
        /** The call is done, then the connection is cut before the answer or within it. */
        readonly kind: 'disconnect-after'
        /** @default before */
        readonly cut?: 'before' | 'within'
      }
    | {
        /** The call is done; the answer is not of the protocol. */
        readonly kind: 'garbage'
        /** @default an HTML page, as proxies send */
        readonly body?: string
        /** @default 200 */
        readonly status?: number
      }
    | {
        /** The call is done; only the first half of the answer's text is sent, as if it were all. */
        readonly kind: 'truncated'
      }
    | {
        /** PutRecordBatch is done; `RequestResponses` is not there, one short, or one long. */
        readonly kind: 'wrong-responses'
        readonly responses: 'missing' | 'short' | 'long'
      }
  )

const scope = {
  action: z.string().optional(),
  stream: z.string().optional(),
  queue: z.string().optional(),
  bucket: z.string().optional(),
  roleArn: z.string().optional(),
  share: z.number().min(0).max(1).optional(),
  times: z.int().min(1).optional(),
}

const kind = <K extends Fault['kind']>(name: K) => ({ ...scope, kind: z.literal(name) })

const httpStatus = z.int().min(200).max(599).optional()

export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject(kind('throttle-records')),
  z.strictObject(kind('fail-records')),
  z.strictObject(kind('throttle')),
  z.strictObject({
    ...kind('error'),
    code: z.string(),
    status: httpStatus,
    message: z.string().optional(),
  }),
  z.strictObject(kind('expired-token')),
  z.strictObject({ ...kind('delay'), ms: z.number().min(0) }),
  z.strictObject(kind('hang')),
  z.strictObject(kind('disconnect')),
  z.strictObject({ ...kind('disconnect-after'), cut: z.enum(['before', 'within']).optional() }),
  z.strictObject({ ...kind('garbage'), body: z.string().optional(), status: httpStatus }),
  z.strictObject(kind('truncated')),
  z.strictObject({ ...kind('wrong-responses'), responses: z.enum(['missing', 'short', 'long']) }),
])

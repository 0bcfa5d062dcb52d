import type { AwsError } from './aws-error.js'
import type { Caller } from './caller.js'
import type { RecordFault } from './faults.js'
import type { Answer, Service } from './service.js'

/** A request whose service and operation are known, and its sender not yet. */
export interface Route {
  readonly service: Service
  /** The operation's name, or `Unknown`. */
  readonly action: string
  readonly stream?: string
  readonly queue?: string
  readonly bucket?: string
  /** The role that is to be assumed. */
  readonly roleArn?: string
  readonly externalId?: string
  /** Set where there is no such operation, which is said without asking who wants it. */
  readonly unknown?: AwsError
  run(sender: Sender): RouteResult | Promise<RouteResult>
  answerError(error: AwsError): Answer
}

interface Sender {
  readonly caller: Caller
  readonly region: string
  readonly recordFault: () => RecordFault | undefined
}

export interface RouteResult {
  readonly answer: Answer
  readonly records?: number
  readonly failedRecords?: number
}

import { FirehoseError } from '../errors.js'
import { answerOf } from './answer.js'
import { redact, withoutSecrets } from './redact.js'

/** What was called, and with what, for messages. */
export interface CalledService {
  readonly service: 'Firehose' | 'STS' | 'SQS' | 'S3'
  readonly region: string
  /** SECURITY: struck out of every message. */
  readonly externalId?: string | undefined
}

/** What the SDK says where it found neither a code nor a message, or could not read the answer. */
const UNREADABLE = /^(?:Unknown(?:Error)?$|Unexpected |.* is not valid JSON|@aws-sdk XML parse error)/

const MAX_MESSAGE = 600
const MAX_QUOTE = 120

/**
 * The error without its secrets, its message on one line of a bounded length, with what was called in which region, the
 * HTTP status, AWS's code, and the first words of an answer that AWS never gave: `Rate exceeded (STS in us-east-1, HTTP
 * 400 Throttling)`.
 */
export function describeError(thrown: unknown, called: CalledService): Error {
  if (thrown instanceof FirehoseError) return thrown
  const error = redact(thrown, called.externalId)
  const answer = answerOf(thrown)
  const { $fault, $metadata } = error as { $fault?: unknown; $metadata?: { httpStatusCode?: unknown } }
  const status = $metadata?.httpStatusCode ?? answer?.status
  const isUnreadable = answer?.text !== undefined && UNREADABLE.test(error.message)
  const said = isUnreadable
    ? `the answer is not one of AWS: ${quote(answer.text, called.externalId)}`
    : error.message
  const code = $fault !== undefined && error.name !== 'Unknown' ? ` ${error.name}` : ''
  const http = status === undefined ? '' : `, HTTP ${status}${code}`
  error.message = `${oneLine(said, MAX_MESSAGE)} (${called.service} in ${called.region}${http})`
  // A stack begins with the message: it would hold what the message leaves out.
  error.stack = `${error.name}: ${error.message}\n${framesOf(error.stack)}`
  return error
}

/** The status and the first words of an answer that the SDK took for a good one. */
export function describeAnswer(output: unknown, externalId: string | undefined): string {
  const answer = answerOf(output)
  if (answer?.text === undefined) return ''
  return ` (HTTP ${answer.status}: ${quote(answer.text, externalId)})`
}

/**
 * SECURITY: cut after the secrets are struck out, as half a secret would not be found. An answer with credentials in it
 * is not quoted at all.
 */
function quote(text: string, externalId: string | undefined): string {
  if (text.trim() === '') return 'it is empty'
  if (/access_?key/i.test(text) && /secret|token/i.test(text)) return 'it holds credentials'
  return JSON.stringify(oneLine(withoutSecrets(text, externalId), MAX_QUOTE))
}

function oneLine(text: string, max: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > max ? `${line.slice(0, max - 1)}…` : line
}

function framesOf(stack = ''): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}

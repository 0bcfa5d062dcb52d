import type { AwsError } from '../aws-error.js'
import type { Answer } from '../service.js'

const CONTENT_TYPE = 'application/x-amz-json-1.0'

/**
 * Where a code of the older query protocol differs, clients of both protocols are told it in a header.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait
 */
const QUERY_CODES: Readonly<Record<string, string>> = {
  AccessDeniedException: 'AccessDenied',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  InvalidParameterValueException: 'InvalidParameterValue',
  MissingRequiredParameterException: 'MissingParameter',
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
}

/** A code as the query protocol names it, which entries of a batch have in both protocols. */
export function queryCode(code: string): string {
  return QUERY_CODES[code] ?? code
}

/** https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html */
export function jsonAnswer(output: unknown): Answer {
  return { status: 200, headers: { 'content-type': CONTENT_TYPE }, body: JSON.stringify(output) }
}

export function jsonError({ code, status, message }: AwsError): Answer {
  const fault = status >= 500 ? 'Receiver' : 'Sender'
  return {
    status,
    headers: { 'content-type': CONTENT_TYPE, 'x-amzn-query-error': `${queryCode(code)};${fault}` },
    body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message }),
  }
}

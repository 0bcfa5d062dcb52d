import type { AwsError } from '../aws-error.js'
import type { Answer } from '../service.js'

const CONTENT_TYPE = 'application/x-amz-json-1.1'

/** https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html */
export function jsonAnswer(output: unknown): Answer {
  return { status: 200, headers: { 'content-type': CONTENT_TYPE }, body: JSON.stringify(output) }
}

export function jsonError({ code, status, message }: AwsError): Answer {
  // Errors from before the service itself is reached spell the field with a capital. SDKs read either.
  const field = code === 'AccessDeniedException' || code === 'SerializationException' ? 'Message' : 'message'
  return {
    status,
    headers: { 'content-type': CONTENT_TYPE },
    body: JSON.stringify({ __type: code, [field]: message }),
  }
}

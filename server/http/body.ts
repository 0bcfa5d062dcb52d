import type { IncomingMessage } from 'node:http'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { badRequest } from './http-problem.js'
import { type RequestBody, readBody } from './read-body.js'
import type { Reservation } from './reservation.js'
import { readUtf8 } from './utf8.js'

export interface JsonBody {
  readonly value: JsonObject
  /** The bytes that `value` was parsed from; `undefined` if the event came in a URL. */
  readonly bytes: Buffer | undefined
  /** The body as it came; see {@link RequestBody}. */
  readonly sent: Buffer | undefined
}

/**
 * The body of a request, as JSON whatever its Content-Type says: that of browsers is text/plain.
 *
 * @throws HttpProblem as {@link readBody} does, and 400 for a body that is not a JSON object
 */
export async function readJsonBody(req: IncomingMessage, reservation: Reservation): Promise<JsonBody> {
  return parseBody(await readBody(req, reservation))
}

/** @throws HttpProblem 400 for a body that is not a JSON object */
function parseBody({ bytes, sent }: RequestBody): JsonBody {
  const value = parseJson(bytes)
  if (isJsonObject(value)) return { value, bytes, sent }
  throw badRequest('invalid_request', 'The body must be a JSON object')
}

function parseJson(body: Buffer): unknown {
  const text = readUtf8(body)
  try {
    return JSON.parse(text)
  } catch {
    // SECURITY: V8's message quotes the body, and with it a write key perhaps.
    throw badRequest(
      'malformed_json',
      text.trim() === '' ? 'The body is empty; send JSON' : 'The body is not valid JSON',
    )
  }
}

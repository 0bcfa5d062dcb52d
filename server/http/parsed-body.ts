import type { IncomingMessage } from 'node:http'
import { types } from 'node:util'
import { badRequest, HttpProblem } from './http-problem.js'

/** A request as Connect's body parsers leave it. Nest and cloud functions keep the bytes too, in `rawBody`. */
type ParsedRequest = IncomingMessage & { readonly body?: unknown; readonly rawBody?: unknown }

/** The body of a request that something before this middleware has read. */
export interface ParsedBody {
  readonly bytes: Buffer
  /** Whether these are the sender's own bytes, which may be compressed or in another charset. */
  readonly isRaw: boolean
}

/** The most bytes that `{}` takes, however it is sent. A longer body was something else. */
const EMPTY_OBJECT_BYTES = 64

/**
 * Returns the body that something before this middleware has read, as bytes; `undefined` if nothing has read it yet.
 *
 * @throws HttpProblem 500 if the host app has kept or changed the body; 400 if it is nested too deeply to be written
 */
export function parsedBody(req: ParsedRequest): ParsedBody | undefined {
  const { body, rawBody } = req
  const isRead = isConsumed(req)
  const raw = isRead ? bytesIn(rawBody) : undefined
  if (raw !== undefined && raw.length > 0) return { bytes: raw, isRaw: isBytes(rawBody) }
  // A parser that takes any JSON leaves null for `null`.
  if (body === null && isRead) return { bytes: Buffer.from('null'), isRaw: false }
  if (isAbsent(body)) return undefined
  const bytes = bytesIn(body)
  // Express 4's parsers set {} on requests that they do not read.
  if (isEmpty(body, bytes) && !(isRead && mayBeEmpty(req))) return undefined
  if (bytes !== undefined) return { bytes, isRaw: isBytes(body) }
  checkForm(body)
  return { bytes: Buffer.from(jsonOf(body)), isRaw: false }
}

/** Whether something else has read the body to its end. */
export function isConsumed(req: IncomingMessage): boolean {
  return req.readableEnded && req.readableDidRead
}

/** The host app is to blame for this and not the sender, so it is a 500: SDKs keep their events then. */
export function bodyConsumed(
  what = 'Something before this middleware has read the body, and it cannot be had any more',
): HttpProblem {
  return new HttpProblem(500, 'body_consumed', `${what}: mount it before the body parser`)
}

function isAbsent(body: unknown): boolean {
  return body === undefined || body === null || typeof body === 'function' || typeof body === 'symbol'
}

/** Whether there is nothing in it: `{}`, `''`, no bytes, or an object such as a stream that keeps its content elsewhere. */
function isEmpty(body: unknown, bytes: Buffer | undefined): boolean {
  if (bytes !== undefined) return bytes.length === 0
  if (typeof body !== 'object' || body === null) return false
  if (types.isMap(body)) return body.size === 0
  if (typeof (body as { toJSON?: unknown }).toJSON === 'function') return false
  return Object.keys(withInherited(body) as object).length === 0
}

/** Whether the sender can have sent an empty body. */
function mayBeEmpty({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) <= EMPTY_OBJECT_BYTES
}

function isBytes(value: unknown): boolean {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)
}

/** Returns the bytes of a value that holds text or bytes. */
function bytesIn(value: unknown): Buffer | undefined {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (types.isAnyArrayBuffer(value)) return Buffer.from(value)
  if (typeof value === 'string') return Buffer.from(value)
  return types.isStringObject(value) ? Buffer.from(String(value)) : undefined
}

/** Refuses JSON that was parsed as a form, as `curl -d` declares it: its text cannot be restored. */
function checkForm(body: unknown): void {
  const [first] = Object.keys(Object(body))
  if (first !== undefined && /^\s*[{[]\s*["{[]/.test(first)) {
    throw bodyConsumed('Something before this middleware has parsed a body of JSON as a form')
  }
}

function jsonOf(body: unknown): string {
  let json: string | undefined
  try {
    json = types.isMap(body) ? JSON.stringify(body, mapsAsObjects) : JSON.stringify(withInherited(body))
  } catch (error) {
    // V8: "Maximum call stack size exceeded".
    if (error instanceof RangeError) throw badRequest('invalid_request', 'The body is nested too deeply')
  }
  if (json !== undefined) return json
  throw bodyConsumed('Something before this middleware has made of the body what JSON cannot hold')
}

function mapsAsObjects(_key: string, value: unknown): unknown {
  return types.isMap(value) ? Object.fromEntries(value) : value
}

/** Adds inherited members to an object that Object.create made: JSON.stringify would leave them out. */
function withInherited(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Object.keys(body).length > 0) return body
  const isPlain = (body.constructor?.name ?? 'Object') === 'Object'
  if (Array.isArray(body) || !isPlain) return body
  const all: Record<string, unknown> = {}
  for (const key in body) all[key] = (body as Record<string, unknown>)[key]
  return all
}

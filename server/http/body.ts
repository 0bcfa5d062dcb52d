import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { badRequest, memoryFull } from './http-problem.js'
import { createInflater } from './inflater.js'
import { MAX_BODY_BYTES } from './limits.js'
import { Pieces } from './pieces.js'
import type { Reservation } from './reservation.js'
import { readUtf8 } from './utf8.js'

/** As Connect's body parsers leave it: what they read, and that they did. */
type ParsedRequest = IncomingMessage & { readonly body?: unknown }

export interface JsonBody {
  readonly value: JsonObject
  /** What `value` was parsed of; `undefined` where a body parser had read it before. */
  readonly bytes: Buffer | undefined
  /** As it came, encoded as Content-Encoding says; `undefined` as that. */
  readonly sent: Buffer | undefined
}

/**
 * The body of a request, as JSON whatever its Content-Type says: that of browsers is text/plain.
 * What a body parser read before is used as it is.
 *
 * @throws HttpProblem 400 for what is no JSON object or too large, 503 where memory runs out
 */
export async function readJsonBody(req: IncomingMessage, reservation: Reservation): Promise<JsonBody> {
  const parsed = parsedBefore(req)
  const { body, sent } =
    parsed === undefined ? await readBody(req, reservation) : { body: parsed, sent: undefined }
  const value = Buffer.isBuffer(body) || typeof body === 'string' ? parseJson(body) : body
  if (isJsonObject(value)) return { value, bytes: sent && (body as Buffer), sent }
  throw badRequest('invalid_request', 'The body must be a JSON object')
}

/** @throws HttpProblem as {@link readJsonBody}, by what Content-Length says, before anything is read */
export function checkContentLength(req: IncomingMessage, hasRoomFor: (bytes: number) => boolean): void {
  const length = Number(req.headers['content-length'] ?? 0)
  if (length > MAX_BODY_BYTES) throw tooLarge()
  if (!hasRoomFor(length)) throw memoryFull()
}

function parsedBefore(req: ParsedRequest): unknown {
  // Express 4's parsers set {} on what they do not read.
  const isPlaceholder = isEmptyObject(req.body) && !req.readableEnded && req.headers['content-length'] !== '0'
  return isPlaceholder ? undefined : (req.body ?? undefined)
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

async function readBody(
  req: IncomingMessage,
  reservation: Reservation,
): Promise<{ body: Buffer; sent: Buffer }> {
  const encoding = (req.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  const isPlain = encoding === 'identity' || encoding === ''
  const sent = await collect(req, reservation)
  if (isPlain) return { body: sent, sent }
  const inflater = createInflater(encoding, sent)
  if (inflater === undefined) {
    throw badRequest(
      'invalid_encoding',
      'The Content-Encoding is not supported; use gzip, deflate, br or none',
    )
  }
  try {
    return { body: await collect(inflater, reservation), sent }
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).errno !== 'number') throw error
    throw badRequest('invalid_encoding', `The body is not valid ${encoding}`)
  } finally {
    inflater.destroy()
  }
}

/**
 * SECURITY: stops at the cap and at the memory there is, whatever a header says or an inflation bomb holds.
 *
 * By events, as an iterator costs more than all the rest of a small request's reading. The stream is not destroyed: a
 * request must still be answered.
 */
function collect(stream: Readable, reservation: Reservation): Promise<Buffer> {
  if (stream.readableEnded) return Promise.resolve(Buffer.alloc(0))
  return new Promise((resolve, reject) => {
    const pieces = new Pieces()
    const take = (chunk: Buffer) => {
      if (pieces.size + chunk.length > MAX_BODY_BYTES) stop(tooLarge())
      else if (!reservation.take(chunk.length)) stop(memoryFull())
      else pieces.add(chunk)
    }
    const stop = (error: Error) => {
      stream.off('data', take)
      // The listeners live until the request is answered, and would hold the pieces as long.
      pieces.taken()
      reject(error)
    }
    reservation.onRevoked(stop)
    stream.on('data', take)
    stream.once('end', () => resolve(pieces.taken()))
    stream.once('error', stop)
    const cutOff = () => stop(new Error('The body was cut off'))
    // It is closed after its end, too.
    stream.once('close', () => stream.readableEnded || cutOff())
    if (stream.destroyed) cutOff()
  })
}

function parseJson(body: Buffer | string): unknown {
  const text = (typeof body === 'string' ? body : readUtf8(body)).replace(/^\uFEFF/, '')
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

function tooLarge() {
  return badRequest('body_too_large', `The body is larger than ${MAX_BODY_BYTES} bytes; send smaller batches`)
}

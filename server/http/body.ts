import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { badRequest, unavailable } from './http-problem.js'
import { createInflater } from './inflater.js'
import { MAX_BODY_BYTES } from './limits.js'
import { Pieces } from './pieces.js'
import type { Reservation } from './reservation.js'

/** As Connect's body parsers leave it: what they read, and that they did. */
type ParsedRequest = IncomingMessage & { readonly body?: unknown }

/** The body of a request that may hold events. */
export interface EventsBody {
  /** JSON as it should be, UTF-8 as far as it is. */
  readonly bytes: Buffer
  /** As it came, encoded as Content-Encoding says; `undefined` where a body parser had read it before. */
  readonly sent: Buffer | undefined
}

/** The sender went away before the whole body had arrived, so nobody is left to answer. */
export class BodyCutOff extends Error {
  constructor() {
    super('The body was cut off')
  }
}

/**
 * The body of a request, whatever its Content-Type says: that of browsers is text/plain. What a body parser read
 * before is written as JSON again.
 *
 * @throws HttpProblem 400 for what is too large or cannot be inflated, 503 where memory runs out
 */
export async function readEventsBody(req: IncomingMessage, reservation: Reservation): Promise<EventsBody> {
  const parsed = parsedBefore(req)
  if (parsed === undefined) {
    const { body, sent } = await readBody(req, reservation)
    return { bytes: body, sent }
  }
  if (Buffer.isBuffer(parsed)) return { bytes: parsed, sent: undefined }
  const text = typeof parsed === 'string' ? parsed : JSON.stringify(parsed)
  return { bytes: Buffer.from(text), sent: undefined }
}

/** @throws HttpProblem as {@link readEventsBody}, by what Content-Length says, before anything is read */
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
      reject(error)
    }
    stream.on('data', take)
    const cutOff = () => stop(new BodyCutOff())
    // Under HTTP/2, Node emits 'end' even if the client reset the stream in the middle of the body.
    stream.once('end', () => (isAborted(stream) ? cutOff() : resolve(pieces.taken())))
    stream.once('error', stop)
    // It is closed after its end, too.
    stream.once('close', () => stream.readableEnded || cutOff())
    if (stream.destroyed) cutOff()
  })
}

function isAborted(stream: Readable & { readonly aborted?: boolean }): boolean {
  return stream.aborted === true
}

function tooLarge() {
  return badRequest('body_too_large', `The body is larger than ${MAX_BODY_BYTES} bytes; send smaller batches`)
}

function memoryFull() {
  return unavailable('memory_full', 'Too much is waiting for delivery; send this again later')
}

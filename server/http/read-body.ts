import type { IncomingMessage } from 'node:http'
import { systemClock } from '../../plugin/clock.js'
import { toUtf8, withoutMark } from './charset.js'
import { bodyTooLarge, collect, takeRoom } from './collect.js'
import { encodingsOf, inflate, looksCompressed } from './content-coding.js'
import { HttpProblem, memoryFull } from './http-problem.js'
import { MAX_BODY_BYTES } from './limits.js'
import { bodyConsumed, isConsumed, parsedBody } from './parsed-body.js'
import { ReadWatch } from './read-watch.js'
import type { Reservation } from './reservation.js'

/** The body of a request, whoever has read it. */
export interface RequestBody {
  /** Inflated and converted to UTF-8 without a byte order mark, as far as possible. */
  readonly bytes: Buffer
  /**
   * As it came, to be forwarded with the same headers; `undefined` if a parser before us has read it, or if the headers
   * describe it wrongly.
   */
  readonly sent: Buffer | undefined
  /** `false` where a parser before us made JavaScript's numbers of the digits that came. */
  readonly hasExactNumbers: boolean
}

/** A body that could not be inflated. */
export class UndecodableBody extends HttpProblem {
  /** As it came. */
  readonly sent: Buffer

  constructor(message: string, sent: Buffer) {
    super(400, 'invalid_encoding', message)
    this.name = 'UndecodableBody'
    this.sent = sent
  }
}

const everyRead = new ReadWatch(systemClock)

/** Checks Content-Length before the body is read. @throws HttpProblem 400 if it is too large, 503 if memory is full */
export function checkContentLength(req: IncomingMessage, hasRoomFor: (bytes: number) => boolean): void {
  const length = Number(req.headers['content-length'] ?? 0)
  if (length > MAX_BODY_BYTES) throw bodyTooLarge()
  if (!hasRoomFor(length)) throw memoryFull()
}

/**
 * Reads the body of a request, or takes over the body that a parser before us has left.
 *
 * @throws HttpProblem 400 if the body is too large or cannot be inflated ({@link UndecodableBody}), 503 if memory runs
 * out, 500 if something before us has read the body and left nothing
 */
export async function readBody(
  req: IncomingMessage,
  reservation: Reservation,
  watch: ReadWatch = everyRead,
): Promise<RequestBody> {
  const parsed = parsedBody(req)
  if (parsed !== undefined) {
    const refusal = takeRoom(0, parsed.bytes.length, reservation)
    if (refusal !== undefined) throw refusal
    if (!parsed.isRaw) return { bytes: withoutMark(parsed.bytes), sent: undefined, hasExactNumbers: false }
    return { ...(await decoded(req, parsed.bytes, reservation)), sent: undefined }
  }
  if (isConsumed(req)) throw bodyConsumed()
  const wasTouched = req.readableDidRead
  // A stream that has ended without any data emits nothing more.
  const sent = req.readableEnded
    ? Buffer.alloc(0)
    : await collect(req, { reservation, watch, lost: bodyConsumed })
  if (wasTouched || req.readableEncoding !== null) checkWhole(req, sent, wasTouched)
  return decoded(req, sent, reservation)
}

/** The host app has read the beginning, and may have put it back, or has set an encoding, which may lose the end. */
function checkWhole({ headers }: IncomingMessage, sent: Buffer, wasTouched: boolean): void {
  const announced = headers['content-length']
  const isLost = announced === undefined ? wasTouched : sent.length < Number(announced)
  if (isLost) throw bodyConsumed()
}

/** Decodes a body. Returns no promise for plain UTF-8, as most bodies are. */
function decoded(
  req: IncomingMessage,
  sent: Buffer,
  reservation: Reservation,
): RequestBody | Promise<RequestBody> {
  const encodings = encodingsOf(req.headers['content-encoding'])
  if (encodings.length === 0 && !looksCompressed(sent)) {
    const bytes = asUtf8(req, sent, reservation)
    return { bytes, sent: bytes === sent ? sent : undefined, hasExactNumbers: true }
  }
  return inflated(req, sent, { encodings, reservation })
}

async function inflated(
  req: IncomingMessage,
  sent: Buffer,
  { encodings, reservation }: { readonly encodings: readonly string[]; readonly reservation: Reservation },
): Promise<RequestBody> {
  try {
    const { bytes, isAsDeclared } = await inflate(sent, encodings, reservation)
    const text = asUtf8(req, bytes, reservation)
    return { bytes: text, sent: isAsDeclared && text === bytes ? sent : undefined, hasExactNumbers: true }
  } catch (error) {
    if (!(error instanceof HttpProblem) || error.code !== 'invalid_encoding') throw error
    if (isDecodedText(req))
      throw bodyConsumed('req.setEncoding() before this middleware spoils compressed bodies')
    throw new UndecodableBody(error.message, sent)
  }
}

function asUtf8(req: IncomingMessage, bytes: Buffer, reservation: Reservation): Buffer {
  return isDecodedText(req) ? withoutMark(bytes) : toUtf8(bytes, req.headers['content-type'], reservation)
}

/** Whether a host app's `setEncoding` has made text of the bytes: all of it is UTF-8 then, and other bytes are lost. */
function isDecodedText({ readableEncoding }: IncomingMessage): boolean {
  return readableEncoding === 'utf8' || readableEncoding === 'ascii'
}

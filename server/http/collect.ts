import type { Readable } from 'node:stream'
import { badRequest, type HttpProblem, memoryFull } from './http-problem.js'
import { MAX_BODY_BYTES } from './limits.js'
import type { PendingRead, ReadWatch } from './read-watch.js'
import type { Reservation } from './reservation.js'

/**
 * {@link Pieces} joins this many at a time. SECURITY: a body that comes byte by byte would otherwise take a hundred times
 * its size in Buffers.
 */
const GROUPED_PIECES = 256

/** The pieces of a body, in the order in which they came. */
export class Pieces {
  #groups: Buffer[] = []
  #pieces: Buffer[] = []
  #size = 0

  /** In bytes. */
  get size(): number {
    return this.#size
  }

  add(piece: Buffer): void {
    this.#size += piece.length
    this.#pieces.push(piece)
    if (this.#pieces.length < GROUPED_PIECES) return
    this.#groups.push(Buffer.concat(this.#pieces))
    this.#pieces = []
  }

  /** Returns all pieces as one Buffer and keeps none: a request's listeners hold this object until it is answered. */
  taken(): Buffer {
    const all = [...this.#groups, ...this.#pieces]
    this.#groups = []
    this.#pieces = []
    const [first] = all
    return first !== undefined && all.length === 1 ? first : Buffer.concat(all)
  }
}

/**
 * Reserves memory for `more` bytes of a body that has `size` bytes so far. SECURITY: this stops a body at the cap and at
 * the memory limit, whatever a header says or an inflation bomb holds.
 *
 * @returns the refusal, if there is no room
 */
export function takeRoom(size: number, more: number, reservation: Reservation): HttpProblem | undefined {
  if (size + more > MAX_BODY_BYTES) return bodyTooLarge()
  return reservation.take(more) ? undefined : memoryFull()
}

export interface CollectOptions {
  readonly reservation: Reservation
  readonly watch: ReadWatch
  /** Makes the error for a body that the host app has kept from us. */
  readonly lost: () => HttpProblem
}

/**
 * Reads a request's stream to its end.
 *
 * It listens to events, because an iterator costs more than all the rest of reading a small request. It does not
 * destroy the stream, because the request must still be answered.
 *
 * @throws HttpProblem 400 for a body above the cap, 503 where memory runs out
 */
export function collect(req: Readable, options: CollectOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    new Collection(req, options, { resolve, reject }).start()
  })
}

/** What is read, and what may be known of its connection. */
type Request = Readable & {
  readonly aborted?: boolean
  readonly socket?: { readonly destroyed: boolean } | null
}

/**
 * Reads one stream. A host app may do anything to the stream, before or while it is read. So no listener here throws,
 * which would end the process, and {@link ReadWatch} settles the promise if the stream emits nothing more.
 */
class Collection implements PendingRead {
  readonly #req: Request
  readonly #options: CollectOptions
  readonly #settle: { resolve(body: Buffer): void; reject(error: unknown): void }
  readonly #pieces = new Pieces()
  #isOver = false

  constructor(
    req: Request,
    options: CollectOptions,
    settle: { resolve(body: Buffer): void; reject(error: unknown): void },
  ) {
    this.#req = req
    this.#options = options
    this.#settle = settle
  }

  start(): void {
    const req = this.#req
    if (req.destroyed) return this.#stop(new BodyCutOff())
    req.on('data', this.#take)
    req.once('end', this.#finish)
    // Keep this listener after the end: an `error` event without a listener ends the process.
    req.on('error', this.#stop)
    req.once('close', this.#onClose)
    this.#options.watch.add(this)
    this.#options.reservation.onRevoked(this.#stop)
    // A host app has paused the stream or listens to `readable`, so it does not flow by itself.
    if (req.readableFlowing !== false) return
    if (req.listenerCount('readable') > 0) req.on('readable', this.#readOn)
    process.nextTick(this.#readOn)
  }

  check(): void {
    const req = this.#req
    try {
      const isCut = req.destroyed || req.socket?.destroyed === true
      if (isCut) this.#stop(new BodyCutOff())
      else if (req.readableEnded || !req.listeners('data').includes(this.#take)) {
        this.#stop(this.#options.lost())
      } else this.#readOn()
    } catch (error) {
      this.#stop(error)
    }
  }

  readonly #take = (chunk: unknown): void => {
    if (this.#isOver) return
    try {
      const piece = bytesOfChunk(chunk, this.#req)
      const refusal = takeRoom(this.#pieces.size, piece.length, this.#options.reservation)
      if (refusal === undefined) this.#pieces.add(piece)
      else this.#stop(refusal)
    } catch (error) {
      this.#stop(error)
    }
  }

  readonly #finish = (): void => {
    if (this.#isOver) return
    // Under HTTP/2, Node emits 'end' even if the client reset the stream in the middle of the body.
    if (this.#req.aborted === true) return this.#stop(new BodyCutOff())
    this.#end()
    this.#settle.resolve(this.#pieces.taken())
  }

  /** A stream closes after its end too. Make no error then: its stack costs more than the rest of a small request. */
  readonly #onClose = (): void => {
    if (!this.#isOver) this.#stop(new BodyCutOff())
  }

  readonly #readOn = (): void => {
    if (this.#isOver) return
    try {
      // Each `read()` also emits `data`, so all listeners get all of the body.
      if (this.#req.listenerCount('readable') > 0) while (this.#req.read() !== null);
      else if (this.#req.isPaused()) this.#req.resume()
    } catch (error) {
      this.#stop(error)
    }
  }

  readonly #stop = (error: unknown): void => {
    if (this.#isOver) return
    this.#end()
    this.#pieces.taken()
    this.#settle.reject(error)
    try {
      this.#req.off('data', this.#take)
    } catch {
      // The listener stays, and does nothing from now on.
    }
  }

  #end(): void {
    this.#isOver = true
    this.#options.watch.delete(this)
  }
}

/** If a host app has called `setEncoding`, chunks are strings. This turns them back into bytes as far as possible. */
function bytesOfChunk(chunk: unknown, { readableEncoding }: Readable): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk
  if (typeof chunk === 'string') return Buffer.from(chunk, readableEncoding ?? 'utf8')
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  throw new TypeError(`The stream of a request gave a chunk that is a ${typeof chunk}`)
}

/** The sender went away before the whole body had arrived, so nobody is left to answer. */
export class BodyCutOff extends Error {
  constructor() {
    super('The body was cut off')
  }
}

export function bodyTooLarge(): HttpProblem {
  return badRequest('body_too_large', `The body is larger than ${MAX_BODY_BYTES} bytes; send smaller batches`)
}

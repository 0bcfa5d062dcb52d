import { Readable } from 'node:stream'

/** Bytes of an answer that are kept, to quote its first words. */
const BEGINNING_BYTES = 4_096

/** The parts of the SDK's responses that are looked at here. */
interface Response {
  readonly statusCode?: unknown
  readonly body?: unknown
}

/** A client's middleware, as far as it is used here. */
interface MiddlewareStack {
  add(
    middleware: (next: (args: never) => Promise<Result>) => (args: never) => Promise<Result>,
    options: { readonly name: string; readonly step: 'deserialize'; readonly priority: 'high' },
  ): void
}

interface Result {
  readonly response: unknown
  readonly output?: object
}

/** By the body that they are of: the SDK's errors still have that when nothing can be read from it any more. */
const beginnings = new WeakMap<object, Buffer>()
/** By what the SDK has read of them. */
const responses = new WeakMap<object, Response>()

/**
 * Reads the whole of an answer. SECURITY: whoever answers decides how much it sends; none of AWS comes near the limit.
 *
 * @throws Error where it is larger than `maxBytes`, or breaks off
 */
export function readAnswer(body: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    body.on('data', (chunk: Buffer) => {
      if (bytes === 0) beginnings.set(body, chunk.subarray(0, BEGINNING_BYTES))
      bytes += chunk.length
      if (bytes <= maxBytes) chunks.push(chunk)
      else body.destroy(tooLarge(maxBytes))
    })
    body.on('error', reject)
    // It is closed after its end, too.
    body.on('close', () => body.readableEnded || reject(new Error('The answer ended too soon')))
    body.on('end', () => {
      if (bytes === 0) beginnings.set(body, Buffer.alloc(0))
      resolve(Buffer.concat(chunks, bytes))
    })
  })
}

/** {@link readAnswer} as the `streamCollector` of an SDK client, which may have a request handler of the user's. */
export function answerCollector(maxBytes: number): (body: unknown) => Promise<Uint8Array> {
  return async (body) => {
    if (body instanceof Readable) return readAnswer(body, maxBytes)
    const stream = body instanceof Blob ? body.stream() : (body as ReadableStream<Uint8Array>)
    return readAnswer(Readable.from(stream as unknown as AsyncIterable<Uint8Array>), maxBytes)
  }
}

/** The answer that an output was read from; see {@link answerOf}. */
export function rememberAnswer(output: object, response: Response): void {
  responses.set(output, response)
}

/** Has a client remember which answer each of its outputs was read from; see {@link answerOf}. */
export function rememberAnswers(middlewareStack: unknown): void {
  const stack = middlewareStack as MiddlewareStack
  stack.add(
    (next) => async (args) => {
      const result = await next(args)
      if (result.output !== undefined) rememberAnswer(result.output, result.response as Response)
      return result
    },
    { name: 'rememberAnswers', step: 'deserialize', priority: 'high' },
  )
}

/** What came over the wire. */
export interface RawAnswer {
  readonly status: number | undefined
  /** Up to 4 KB; `undefined` where a client of the user's has read it. */
  readonly text: string | undefined
}

/** The answer that an error of the SDK, or an output of a client that {@link rememberAnswers}, was made of. */
export function answerOf(thing: unknown): RawAnswer | undefined {
  if (typeof thing !== 'object' || thing === null) return undefined
  const response = responses.get(thing) ?? (thing as { $response?: Response }).$response
  if (typeof response !== 'object' || response === null) return undefined
  const { statusCode, body } = response
  return { status: typeof statusCode === 'number' ? statusCode : undefined, text: beginningOf(body) }
}

function beginningOf(body: unknown): string | undefined {
  if (typeof body === 'string') return body.slice(0, BEGINNING_BYTES)
  if (body instanceof Uint8Array) return Buffer.from(body.subarray(0, BEGINNING_BYTES)).toString()
  return typeof body === 'object' && body !== null ? beginnings.get(body)?.toString() : undefined
}

function tooLarge(maxBytes: number): Error {
  return Object.assign(new Error(`The answer is larger than ${maxBytes} bytes`), { name: 'AnswerTooLarge' })
}

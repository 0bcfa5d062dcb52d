import type { IncomingMessage } from 'node:http'

/** A request as it came over the wire: what a signature is computed over. */
export interface AwsRequest {
  readonly method: string
  /** As sent, still percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  /** By lower-case name; several of one name are joined by a comma, as SigV4 wants it. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** 500 records of 1,024,000 bytes cannot be sent in one call: 4 MiB in base64 is 5.6 MB. */
const MAX_BODY_BYTES = 16 * 1024 * 1024

/** Beyond this the connection is cut, instead of reading on only to answer politely. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024

/** The body was over the cap. It was read to its end, so that the answer reaches the client. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError'
}

/** @throws BodyTooLargeError; or the stream's error when the client goes away */
export async function readRequest(message: IncomingMessage): Promise<AwsRequest> {
  const body = await readBody(message)
  const [path = '/', query = ''] = splitOnce(message.url ?? '/', '?')
  const headers = Object.entries(message.headersDistinct)
  return {
    method: message.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: new Map(headers.map(([name, values]) => [name, (values ?? []).join(',')])),
    body,
  }
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  let chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_DISCARDED_BYTES) break // leaving the loop destroys the socket
    if (bytes > MAX_BODY_BYTES) chunks = []
    else chunks.push(chunk)
  }
  if (bytes > MAX_BODY_BYTES) throw new BodyTooLargeError(`a body of over ${MAX_BODY_BYTES} bytes`)
  return Buffer.concat(chunks, bytes)
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

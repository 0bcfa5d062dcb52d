import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'

/** A request as it goes over the wire: what HTTP clients would add or change is what is under test. */
export interface WireRequest {
  readonly path: string
  /** In the order and spelling of the sender, without those that say how the body is sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly gzip?: boolean
  /** How the end of the body is told. @default 'length' */
  readonly framing?: Framing
}

/** `none` is a request without a body that does not say so. */
export type Framing = 'length' | 'chunked' | 'none'

export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function send(url: string, { body, gzip, ...request }: WireRequest): Promise<Answer> {
  return exchange(url, { ...request, body: gzip === true ? gzipSync(body) : Buffer.from(body) })
}

export interface RawRequest extends Omit<WireRequest, 'body' | 'gzip'> {
  /** @default 'POST' */
  readonly method?: string
  readonly body: Buffer
}

/** Sends the request and nothing else, and reads its answer. Waits with the body where it says `Expect`. */
export async function exchange(url: string, request: RawRequest): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const { method = 'POST', headers } = request
  const socket = connect(Number(port), hostname)
  const received = socket.setEncoding('latin1')[Symbol.asyncIterator]() as AsyncIterator<string>
  try {
    socket.write(headOf(url, request))
    const isAsking = headers.some(([name]) => name.toLowerCase() === 'expect')
    // A refusal may come along at once; the body is sent all the same, as the server said to continue.
    const rest = isAsking ? await readContinue(received) : ''
    socket.write(request.framing === 'chunked' ? inChunks(request.body) : request.body)
    return await readAnswer(received, rest, method === 'HEAD')
  } finally {
    socket.destroy()
  }
}

/** The first line and the headers, as the wire has them. */
export function headOf(url: string, { method = 'POST', path, headers, body, framing }: RawRequest): string {
  const sizes: Record<Framing, readonly (readonly [string, string])[]> = {
    length: [['Content-Length', String(body.length)]],
    chunked: [['Transfer-Encoding', 'chunked']],
    none: [],
  }
  const lines = [['Host', new URL(url).host], ...headers, ...sizes[framing ?? 'length']]
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

async function readContinue(received: AsyncIterator<string>): Promise<string> {
  const { value } = await received.next()
  if (!value?.startsWith(CONTINUE)) throw new Error(`Not told to continue: ${value}`)
  return value.slice(CONTINUE.length)
}

/** Some senders cut in the middle of characters, and gzip's header comes alone. */
const CHUNK_BYTES = 10

function inChunks(body: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    const chunk = body.subarray(at, at + CHUNK_BYTES)
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
  }
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
}

async function readAnswer(
  received: AsyncIterator<string>,
  first: string,
  hasNoBody: boolean,
): Promise<Answer> {
  let text = first
  for (;;) {
    const [head = '', body] = text.split('\r\n\r\n', 2)
    const length = /^content-length: (\d+)$/im.exec(head)?.[1]
    if (body !== undefined && body.length === (hasNoBody ? 0 : Number(length))) return parsed(head, body)
    const { value, done } = await received.next()
    if (done === true) throw new Error(`The connection was closed without an answer: ${text}`)
    text += value
  }
}

function parsed(head: string, body: string): Answer {
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line) => {
    const [name = '', value = ''] = line.split(/: (.*)/, 2)
    return [name.toLowerCase(), value]
  })
  return { status: Number(statusLine.split(' ')[1]), headers: Object.fromEntries(headers), body }
}

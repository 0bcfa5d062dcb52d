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
  readonly framing?: 'length' | 'chunked'
}

export interface Answer {
  readonly status: number
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends the request and nothing else, and reads its answer. Waits with the body where it says `Expect`. */
export async function send(url: string, request: WireRequest): Promise<Answer> {
  const { host, hostname, port } = new URL(url)
  const body = request.gzip === true ? gzipSync(request.body) : Buffer.from(request.body)
  const isChunked = request.framing === 'chunked'
  const headers = [
    ['Host', host],
    ...request.headers,
    isChunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(body.length)],
  ]
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const socket = connect(Number(port), hostname)
  const received = socket.setEncoding('latin1')[Symbol.asyncIterator]() as AsyncIterator<string>
  try {
    socket.write(`POST ${request.path} HTTP/1.1\r\n${head}\r\n`)
    const isAsking = headers.some(([name]) => name?.toLowerCase() === 'expect')
    // A refusal may come along at once; the body is sent all the same, as the server said to continue.
    const rest = isAsking ? await readContinue(received) : ''
    socket.write(isChunked ? inChunks(body) : body)
    return await readAnswer(received, rest)
  } finally {
    socket.destroy()
  }
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

async function readAnswer(received: AsyncIterator<string>, first: string): Promise<Answer> {
  let text = first
  for (;;) {
    const [head = '', body] = text.split('\r\n\r\n', 2)
    const length = /^content-length: (\d+)$/im.exec(head)?.[1]
    if (body !== undefined && body.length === Number(length)) return parsed(head, body)
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

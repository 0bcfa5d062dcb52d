import { type IncomingMessage, type RequestListener, request, type ServerResponse } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { Arrivals } from '../browser/arrivals.js'
import { listenWithTls } from '../browser/tls-front.js'
import { listen } from '../proxy-harness.js'
import type { RawRequest } from './wire.js'

/** A request as an SDK sent it. */
export interface Sent {
  readonly method: string
  readonly path: string
  /** In the order and spelling of the sender, without those of the connection. */
  readonly headers: RawRequest['headers']
  /** As it came over the wire. */
  readonly body: Buffer
  /** The body without its compression. */
  readonly text: string
}

/** A server before the proxy, which keeps what SDKs send and can answer in the proxy's place. */
export interface Recorder {
  readonly url: string
  /** The requests of events, each when it is read to its end. */
  readonly sent: Arrivals<Sent>
  /** Answers for the next requests of events, which then do not reach the proxy. */
  readonly answers: ((res: ServerResponse) => void)[]
  /** Hands requests on to the proxy at this URL. */
  target: string
}

/** @param certificate - with one, the server speaks TLS: some SDKs do not speak without */
export async function startRecorder(certificate?: Certificate): Promise<Recorder> {
  const parts = { url: '', target: '', sent: new Arrivals<Sent>(), answers: [] as Recorder['answers'] }
  const handler: RequestListener = (req, res) => {
    keep(req, parts.sent)
    const answer = req.method === 'POST' ? parts.answers.shift() : undefined
    if (answer === undefined) handOn(req, res, parts.target)
    else req.once('end', () => answer(res))
  }
  parts.url = certificate === undefined ? await listen(handler) : await listenWithTls(certificate, handler)
  return parts
}

type Certificate = Parameters<typeof listenWithTls>[0]

/** With the Host that came, so that the settings which the proxy gives name the recorder. */
function handOn(req: IncomingMessage, res: ServerResponse, target: string): void {
  const { method, headers, url = '/' } = req
  const onward = request(new URL(url, target), { method, headers }, (answer) => {
    res.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(res)
  })
  onward.on('error', () => res.destroy())
  req.pipe(onward)
}

/** An answer that every SDK takes for an outage. */
export function unavailable(res: ServerResponse): void {
  res.writeHead(503, { 'Content-Type': 'application/json' }).end('{"code":"unavailable","message":"…"}')
}

/** Of the connection and not of the request. */
const HOP_HEADERS = new Set(['host', 'connection', 'content-length', 'transfer-encoding'])

function keep(req: IncomingMessage, sent: Arrivals<Sent>): void {
  const { method = '', url: path = '', rawHeaders } = req
  const headers: [string, string][] = []
  for (let i = 0; i < rawHeaders.length; i += 2) headers.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? ''])
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.once('end', () => {
    if (method !== 'POST') return
    const body = Buffer.concat(chunks)
    sent.add({
      method,
      path,
      headers: headers.filter(([name]) => !HOP_HEADERS.has(name.toLowerCase())),
      body,
      text: String(req.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body),
    })
  })
}

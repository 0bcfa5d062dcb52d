import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { firstHalf, type Reply } from './reply.js'
import { type AwsRequest, BodyTooLargeError, readRequest } from './request.js'
import type { Answer } from './service.js'

/** Longer than any client keeps an idle connection, so that it is never the server that closes one in use. */
const KEEP_ALIVE_MS = 75_000

/** The HTTP side: reads requests, carries out replies, knows nothing of AWS. */
export class HttpServer {
  readonly #server: Server
  readonly #handle: (request: AwsRequest) => Promise<Reply>
  readonly #onError: (error: Error) => void
  readonly #inProgress = new Set<Promise<void>>()

  /** @param onError - must not throw */
  constructor(handle: (request: AwsRequest) => Promise<Reply>, onError: (error: Error) => void) {
    this.#handle = handle
    this.#onError = onError
    this.#server = createServer((message, response) => this.#serve(message, response))
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS
  }

  /** @throws Error with the code EADDRINUSE where something else listens there */
  async listen(port: number, host: string): Promise<{ port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, port, host)))
      this.#server.listen(port, host, resolve)
    })
    this.#server.on('error', this.#onError)
    return { port: (this.#server.address() as AddressInfo).port }
  }

  /** Cuts every connection, hanging ones too, and waits until no call is being worked on. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
    await Promise.all(this.#inProgress)
  }

  #serve(message: IncomingMessage, response: ServerResponse): void {
    const exchange = this.#exchange(message, response).catch((error: Error) => {
      // Without this the client would wait for ever.
      response.destroy()
      this.#onError(error)
    })
    const tracked = exchange.finally(() => this.#inProgress.delete(tracked))
    this.#inProgress.add(tracked)
  }

  async #exchange(message: IncomingMessage, response: ServerResponse): Promise<void> {
    // A client that goes away while it is answered is its own affair.
    response.on('error', () => {})
    let request: AwsRequest
    try {
      request = await readRequest(message)
    } catch (error) {
      if (error instanceof BodyTooLargeError) send(response, tooLarge())
      return // or the client went away before it had said everything
    }
    carryOut(response, await this.#handle(request))
  }
}

function carryOut(response: ServerResponse, reply: Reply): void {
  switch (reply.kind) {
    case 'answer':
      send(response, reply.answer)
      return
    case 'cut':
      response.destroy()
      return
    case 'cut-within':
      sendHalf(response, reply.answer)
      return
    case 'hang':
      return
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function sendHalf(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  response.write(firstHalf(body), () => response.destroy())
}

/** What AWS's front end says before any service is asked. */
function tooLarge(): Answer {
  const body = JSON.stringify({
    __type: 'RequestEntityTooLargeException',
    message: 'Request body is too large',
  })
  return { status: 413, headers: { 'content-type': 'application/x-amz-json-1.1' }, body }
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): Error {
  if (error.code !== 'EADDRINUSE') return error
  const message = `The local AWS cannot listen on ${host}:${port}: the port is in use. Stop what uses it, or give another port (0 takes any free one).`
  return Object.assign(new Error(message, { cause: error }), { code: error.code })
}

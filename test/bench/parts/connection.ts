import { connect, type Socket } from 'node:net'

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const RETRY_AFTER = /\r\nretry-after: *[1-9]/i
const LENGTH = /\r\ncontent-length: *(\d+)/i

/** An HTTP connection that takes one request at a time, and costs next to nothing. */
export class Connection {
  readonly #socket: Socket
  #received: Buffer | undefined
  #answered: (status: number) => void = () => {}
  #status = 0
  #size = 0
  #hasRetryAfter = false

  constructor(url: string) {
    const { hostname, port } = new URL(url)
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.on('data', (piece) => this.#take(piece as Buffer))
    this.#socket.on('error', () => this.#answered(0))
    this.#socket.on('close', () => this.#answered(0))
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  /** Whether the last answer said when to come back. */
  get hasRetryAfter(): boolean {
    return this.#hasRetryAfter
  }

  /** The answer's status; 0 where the connection broke. */
  send(request: Buffer): Promise<number> {
    return new Promise((resolve) => {
      this.#answered = resolve
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(piece: Buffer): void {
    const bytes = this.#received === undefined ? piece : Buffer.concat([this.#received, piece])
    if (this.#size === 0) this.#readHead(bytes)
    if (this.#size === 0 || bytes.length < this.#size) {
      this.#received = bytes
      return
    }
    this.#received = undefined
    this.#size = 0
    this.#answered(this.#status)
  }

  #readHead(bytes: Buffer): void {
    const end = bytes.indexOf(END_OF_HEAD)
    if (end === -1) return
    const head = bytes.toString('latin1', 0, end)
    const [, length] = LENGTH.exec(head) ?? []
    if (length === undefined) throw new Error(`An answer without Content-Length: ${head}`)
    this.#status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    this.#hasRetryAfter = RETRY_AFTER.test(head)
    this.#size = end + END_OF_HEAD.length + Number(length)
  }
}

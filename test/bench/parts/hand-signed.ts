import { createHash, createHmac } from 'node:crypto'
import { Agent, request } from 'node:http'

/** Base64 of the largest call, and what is around it. */
const BUFFER_BYTES = 6 * 1024 * 1024
const SIGNED_HEADERS = 'content-type;host;x-amz-date;x-amz-target'
const TARGET = 'Firehose_20150804.PutRecordBatch'
const CONTENT_TYPE = 'application/x-amz-json-1.1'

/** A Firehose client of as few steps as there can be: the body in a buffer used again, the signature by hand. */
export class HandSigned {
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #free: Buffer[] = []
  readonly #keyId = process.env['AWS_ACCESS_KEY_ID'] ?? ''
  readonly #secret = process.env['AWS_SECRET_ACCESS_KEY'] ?? ''
  #signingKey: { readonly day: string; readonly key: Buffer } | undefined

  constructor(endpoint: string) {
    this.#url = new URL(endpoint)
  }

  /** @throws where a record was not taken */
  async putRecordBatch(stream: string, records: readonly Buffer[]): Promise<void> {
    const buffer = this.#free.pop() ?? Buffer.allocUnsafe(BUFFER_BYTES)
    let at = buffer.write(`{"DeliveryStreamName":"${stream}","Records":[`, 'latin1')
    for (const [i, record] of records.entries()) {
      at += buffer.write(i === 0 ? '{"Data":"' : ',{"Data":"', at, 'latin1')
      at += buffer.write(record.toString('base64'), at, 'latin1')
      at += buffer.write('"}', at, 'latin1')
    }
    at += buffer.write(']}', at, 'latin1')
    try {
      const answer = await this.#call(buffer.subarray(0, at))
      if (!answer.includes('"FailedPutCount":0,')) throw new Error('Some records failed')
    } finally {
      this.#free.push(buffer)
    }
  }

  #call(body: Buffer): Promise<Buffer> {
    const date = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
    const { host, hostname, port } = this.#url
    const headers = {
      'content-type': CONTENT_TYPE,
      'content-length': body.length,
      host,
      'x-amz-date': date,
      'x-amz-target': TARGET,
      authorization: this.#sign(body, date),
    }
    return new Promise((resolve, reject) => {
      const sent = request(
        { hostname, port, method: 'POST', path: '/', headers, agent: this.#agent },
        (res) => {
          const pieces: Buffer[] = []
          res.on('data', (piece: Buffer) => pieces.push(piece))
          res.on('end', () => resolve(Buffer.concat(pieces)))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  #sign(body: Buffer, date: string): string {
    const hash = createHash('sha256').update(body).digest('hex')
    const { host } = this.#url
    const headers = `content-type:${CONTENT_TYPE}\nhost:${host}\nx-amz-date:${date}\nx-amz-target:${TARGET}\n`
    const canonical = `POST\n/\n\n${headers}\n${SIGNED_HEADERS}\n${hash}`
    const day = date.slice(0, 8)
    const scope = `${day}/us-west-2/firehose/aws4_request`
    const digest = createHash('sha256').update(canonical).digest('hex')
    const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${digest}`
    const signature = createHmac('sha256', this.#keyOf(day)).update(text).digest('hex')
    return `AWS4-HMAC-SHA256 Credential=${this.#keyId}/${scope}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`
  }

  #keyOf(day: string): Buffer {
    if (this.#signingKey?.day !== day) {
      const steps = [day, 'us-west-2', 'firehose', 'aws4_request']
      const first: Buffer = Buffer.from(`AWS4${this.#secret}`)
      const key = steps.reduce((key, step) => createHmac('sha256', key).update(step).digest(), first)
      this.#signingKey = { day, key }
    }
    return this.#signingKey.key
  }
}

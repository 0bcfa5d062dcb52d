import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { announce, answerCommands, readOptions } from './commands.js'
import { listen } from './listen.js'
import { RecordCounter } from './record-counter.js'

/** A server that answers as Firehose and as Segment do, with as little work as can be. */
export interface StubOptions {
  /** How long each answer takes. */
  readonly delayMs: number
  /** Adds up what Firehose bills, which costs the stub a good part of its speed. @default false */
  readonly countsBilledBytes?: boolean
}

export interface Tally {
  readonly calls: number
  readonly records: number
  /** Of the records as they were before base64. */
  readonly bytes: number
  /** Each record rounded up to the next 5 KB. Source: https://aws.amazon.com/firehose/pricing/ */
  readonly billedBytes: number
}

const BILLED_STEP = 5 * 1_024
/** As long as those of Firehose. */
const RECORD_ID_LENGTH = 224

const { delayMs, countsBilledBytes = false } = readOptions<StubOptions>()
const answers = new Map<number, Buffer>()
const held: (() => void)[] = []
let hangs = false
let calls = 0
let records = 0
let bytes = 0
let billedBytes = 0

const server = createServer(async (req, res) => {
  const target = req.headers['x-amz-target']
  if (target === undefined) {
    for await (const _chunk of req) {
      // Read to its end.
    }
    return answer(res, SEGMENT_ANSWER, 'application/json')
  }
  const count = countsBilledBytes ? await countBilled(req) : await countOnly(req)
  const isBatch = String(target).endsWith('.PutRecordBatch')
  answer(res, isBatch ? batchAnswer(count) : RECORD_ANSWER, 'application/x-amz-json-1.1', count)
})
server.keepAliveTimeout = 0

const SEGMENT_ANSWER = Buffer.from('{"success":true}')
const RECORD_ANSWER = Buffer.from(`{"Encrypted":false,"RecordId":"${'r'.repeat(RECORD_ID_LENGTH)}"}`)

async function countOnly(req: IncomingMessage): Promise<number> {
  const counter = new RecordCounter()
  for await (const chunk of req) counter.add(chunk as Buffer)
  return counter.records
}

async function countBilled(req: IncomingMessage): Promise<number> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const body = JSON.parse(Buffer.concat(chunks).toString()) as {
    readonly Record?: { readonly Data: string }
    readonly Records?: readonly { readonly Data: string }[]
  }
  const sizes = (body.Records ?? [body.Record]).map((record) =>
    Buffer.byteLength(record?.Data ?? '', 'base64'),
  )
  for (const size of sizes) {
    bytes += size
    billedBytes += Math.ceil(size / BILLED_STEP) * BILLED_STEP
  }
  return sizes.length
}

/** What is answered is counted when the answer goes out: before that nothing is durable. */
function answer(res: ServerResponse, content: Buffer, type: string, count = 0): void {
  const send = () => {
    // Who has given up on its call does not know what became of it, and sends it again: it was not taken.
    if (res.destroyed) return
    calls++
    records += count
    res.writeHead(200, {
      'Content-Type': type,
      'Content-Length': content.length,
      'x-amzn-RequestId': 'c0ffee00-0000-4000-8000-000000000000',
    })
    res.end(content)
  }
  if (hangs) held.push(send)
  else if (delayMs === 0) send()
  else setTimeout(send, delayMs)
}

function batchAnswer(count: number): Buffer {
  const made = answers.get(count)
  if (made !== undefined) return made
  const entries = Array.from({ length: count }, (_, i) => {
    return { RecordId: String(i).padStart(RECORD_ID_LENGTH, 'r') }
  })
  const content = { FailedPutCount: 0, Encrypted: false, RequestResponses: entries }
  const buffer = Buffer.from(JSON.stringify(content))
  answers.set(count, buffer)
  return buffer
}

answerCommands({
  tally: (): Tally => ({ calls, records, bytes, billedBytes }),
  hang() {
    hangs = true
  },
  /** What hung is answered late, as by a service that comes back. */
  heal() {
    hangs = false
    for (const send of held.splice(0)) send()
  },
})
announce({ url: await listen(server) })

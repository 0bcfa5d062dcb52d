// The least that can be done: no framework, no copy of an event but its base64, no SDK.
import { createServer, type IncomingMessage } from 'node:http'
import { Batcher } from './batcher.js'
import { announce, answerCommands, readOptions } from './commands.js'
import { elementsOf } from './elements.js'
import { HandSigned } from './hand-signed.js'
import { listen } from './listen.js'
import type { BaselineOptions } from './plain.js'

const { endpoint } = readOptions<BaselineOptions>()
const firehose = new HandSigned(endpoint)
const batcher = new Batcher<Buffer>((records) => firehose.putRecordBatch('bench', records))
const SUCCESS = Buffer.from('{"success":true}')

const server = createServer(async (req, res) => {
  try {
    await batcher.add(recordsOf(await read(req)))
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': SUCCESS.length })
    res.end(SUCCESS)
  } catch {
    res.writeHead(503, { 'Content-Length': 0 }).end()
  }
})

async function read(req: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  await new Promise<void>((resolve, reject) => {
    req.on('data', (piece: Buffer) => pieces.push(piece))
    req.on('end', resolve)
    req.on('error', reject)
  })
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
}

/** The events of a body as they came, each with a newline. */
function recordsOf(body: Buffer): Buffer[] {
  const { batch } = JSON.parse(body.toString()) as { batch?: unknown[] }
  if (batch === undefined) return [Buffer.concat([body, NEWLINE])]
  return elementsOf(body, '"batch":[').map(({ start, end }) => {
    // In place of the comma or bracket behind it, which nobody reads any more.
    body[end] = NEWLINE_BYTE
    return body.subarray(start, end + 1)
  })
}

const NEWLINE_BYTE = 0x0a
const NEWLINE = Buffer.from([NEWLINE_BYTE])

answerCommands({})
announce({ url: await listen(server) })

import { createServer } from 'node:http'
import { firehoseProxy } from 'analytics-firehose/server'
import { announce, answerCommands, readOptions } from './commands.js'
import { listen } from './listen.js'
import { rowsOf, writeKeyOf } from './many.js'

/** The middleware without a server around it, and with more in its configuration than one likes to have in a file. */
export interface MiddlewareOptions {
  readonly endpoint: string
  /** Rows of the mapping. @default 1 */
  readonly rows?: number
  /** @default 1 */
  readonly sources?: number
  readonly aggregation?: 'off' | 'ndjson'
  readonly flushInterval?: number
}

const { endpoint, rows = 1, sources = 1, aggregation, flushInterval } = readOptions<MiddlewareOptions>()
const mappedStreams = rowsOf(rows)

const proxy = firehoseProxy({
  sources: Array.from({ length: sources }, (_, i) => ({
    id: `src_${i}`,
    writeKey: writeKeyOf(i),
    destination: { region: 'us-west-2', endpoint, mappedStreams, aggregation, flushInterval },
  })),
})

answerCommands({})
announce({ url: await listen(createServer((req, res) => proxy(req, res, () => res.writeHead(404).end()))) })

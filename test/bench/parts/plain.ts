// What one writes first: Express, its JSON parser, and the AWS SDK.
import { createServer } from 'node:http'
import { FirehoseClient, PutRecordBatchCommand } from '@aws-sdk/client-firehose'
import express from 'express'
import { Batcher } from './batcher.js'
import { announce, answerCommands, readOptions } from './commands.js'
import { listen } from './listen.js'

/** Of the baselines that are servers. */
export interface BaselineOptions {
  readonly endpoint: string
}

const { endpoint } = readOptions<BaselineOptions>()
const client = new FirehoseClient({ endpoint, region: 'us-west-2' })

const batcher = new Batcher<Uint8Array>(async (records) => {
  const { FailedPutCount } = await client.send(
    new PutRecordBatchCommand({
      DeliveryStreamName: 'bench',
      Records: records.map((Data) => ({ Data })),
    }),
  )
  if (FailedPutCount !== 0) throw new Error(`${FailedPutCount} records failed`)
})

const app = express()
app.use(express.json({ limit: '5mb' }))
app.post(['/v1/batch', '/v1/track'], async (req, res) => {
  const events: readonly unknown[] = req.body.batch ?? [req.body]
  await batcher.add(events.map((event) => Buffer.from(`${JSON.stringify(event)}\n`)))
  res.json({ success: true })
})

answerCommands({})
announce({ url: await listen(createServer(app)) })

import { FirehoseClient, PutRecordBatchCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import { createDelivery } from 'analytics-firehose'
import { announce, answerCommands, readOptions } from './commands.js'
import { trackEvent } from './requests.js'

/** A client of Firehose, and nothing in front of it. */
export interface FirehoseOptions {
  readonly client: 'ours' | 'sdk'
  readonly api: 'PutRecord' | 'PutRecordBatch'
  readonly endpoint: string
  readonly inFlight: number
}

type Put = (records: readonly Buffer[]) => Promise<void>

const STREAM = 'bench'
const REGION = 'us-west-2'

const options = readOptions<FirehoseOptions>()
const { api, endpoint, inFlight } = options
const record = Buffer.from(`${JSON.stringify(trackEvent('node-next-1795500000000', 'Order Completed'))}\n`)
const records: readonly Buffer[] = Array.from({ length: api === 'PutRecord' ? 1 : 500 }, () => record)
const put = options.client === 'ours' ? ours() : sdk()

function ours(): Put {
  const delivery = createDelivery({
    settings: {
      region: REGION,
      mappedStreams: { '*': STREAM },
      api,
      endpoint,
      concurrency: inFlight,
      // That of AWS is less than what is measured.
      maxRequestsPerSecond: 1_000_000,
    },
  })
  return async (records) => {
    const outcomes = await delivery.deliver(records.map((data) => ({ stream: STREAM, data })))
    if (outcomes.some(({ status }) => status !== 'delivered')) throw new Error('A record was not delivered')
  }
}

function sdk(): Put {
  const client = new FirehoseClient({ endpoint, region: REGION })
  return async (records) => {
    const [Data] = records
    if (api === 'PutRecord') {
      await client.send(new PutRecordCommand({ DeliveryStreamName: STREAM, Record: { Data } }))
      return
    }
    const Records = records.map((Data) => ({ Data }))
    const answer = await client.send(new PutRecordBatchCommand({ DeliveryStreamName: STREAM, Records }))
    if (answer.FailedPutCount !== 0) throw new Error('A record was not taken')
  }
}

async function work({ seconds }: { readonly seconds: number }) {
  const from = performance.now()
  const until = from + seconds * 1_000
  let events = 0
  const putAgain = async () => {
    do {
      await put(records)
      events += records.length
    } while (performance.now() < until)
  }
  await Promise.all(Array.from({ length: inFlight }, putAgain))
  return { events, seconds: (performance.now() - from) / 1_000 }
}

answerCommands({ work })
announce({})

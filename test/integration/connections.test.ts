import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { createLazyPut, preloadSdk } from '../../plugin/aws/sdk.js'
import { systemClock } from '../../plugin/clock.js'
import { tryPlace } from '../../plugin/dead-letters/open-dead-letters.js'
import { deliveryOf } from '../../plugin/delivery/create-delivery.js'
import { parseSettings } from '../../plugin/settings/configuration.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'
import { QueueApi, queueClient } from '../../plugin/spill/queue-api.js'
import { ROLE, records } from './aws.js'

const CREDENTIALS = { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' }

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** @returns the server's URL */
async function start(answer: Answer): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    answer(request, response, body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function configurationFor(endpoint: string, settings: Partial<DestinationSettings> = {}) {
  return parseSettings({
    region: 'us-west-2',
    endpoint,
    stsEndpoint: endpoint,
    clientConfig: { credentials: CREDENTIALS },
    mappedStreams: { '*': 's' },
    logger: { info() {}, warn() {}, error() {} },
    ...settings,
  })
}

function newPool() {
  const pool = createClientPool()
  cleanUps.push(() => pool.close())
  return pool
}

function deliveryTo(endpoint: string, settings: Partial<DestinationSettings> = {}) {
  const pool = newPool()
  const configuration = configurationFor(endpoint, settings)
  const delivery = deliveryOf(configuration, { pool })
  cleanUps.push(() => delivery.close({ timeout: 0 }))
  return delivery
}

/** Takes each record of a PutRecordBatch. */
const take: Answer = (_request, response, body) => {
  const { Records } = JSON.parse(body) as { Records: unknown[] }
  const RequestResponses = Records.map((_, i) => ({ RecordId: `id-${i}` }))
  response.end(JSON.stringify({ FailedPutCount: 0, RequestResponses }))
}

describe('pooled connections of which one shows that they are dead', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['by its silence', () => {}],
    ['by a reset', (socket) => socket.resetAndDestroy()],
  ])('%s are not used again', async (_name, showItself) => {
    await preloadSdk({ assumesRoles: false })
    const used = new Set<Socket>()
    const held: (() => void)[] = []
    let areDead = false
    let inVain = 0
    const endpoint = await start((request, response, body) => {
      const { socket } = request
      if (areDead && used.has(socket)) {
        if (inVain++ === 0) showItself(socket)
        return
      }
      used.add(socket)
      held.push(() => take(request, response, body))
      // Eight calls are under way together, or they would share a connection.
      if (areDead || held.length === 8) for (const answer of held.splice(0)) answer()
    })
    const delivery = deliveryTo(endpoint, { requestTimeout: 300, deliveryTimeout: 20_000, flushAt: 1 })
    await delivery.deliver(records(8, 's'))
    expect(used.size).toBe(8)

    areDead = true
    const [outcome] = await delivery.deliver(records(1, 's'))
    expect(outcome?.status).toBe('delivered')
    expect(inVain).toBe(1)
  })
})

describe('an answer without an end', () => {
  const MIB = 1024 * 1024

  /** What is sent until the connection is closed. */
  async function startEndless(status: number) {
    const chunk = Buffer.alloc(MIB, 'x')
    let sent = 0
    const endpoint = await start(async (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
      response.on('error', () => {})
      while (!response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')])
      }
    })
    return { endpoint, sent: () => sent }
  }

  async function putTo(endpoint: string): Promise<string> {
    const pool = newPool()
    const configuration = configurationFor(endpoint)
    const put = createLazyPut({
      ...configuration,
      client: () => pool.get(configuration),
      clock: systemClock,
      requestTimeout: 15_000,
    })
    const result = await put('PutRecordBatch', 's', [Buffer.from('{}')])
    return 'refusal' in result ? `${result.refusal.class}: ${result.refusal.error.message}` : 'taken'
  }

  async function assumeAt(endpoint: string): Promise<string> {
    const configuration = configurationFor(endpoint, { roleAddress: ROLE })
    const client = newPool().get(configuration)
    return client.use(({ firehose }) =>
      firehose.config.credentials().then(
        () => 'assumed',
        (error: Error) => error.message,
      ),
    )
  }

  async function withKeys<T>(call: () => Promise<T>): Promise<T> {
    const variables = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'secret' }
    const before = { ...process.env }
    Object.assign(process.env, variables)
    try {
      return await call()
    } finally {
      for (const name of Object.keys(variables)) {
        if (before[name] === undefined) delete process.env[name]
        else process.env[name] = before[name]
      }
    }
  }

  const receiveAt = (endpoint: string) =>
    withKeys(async () => {
      const queue = { queueUrl: `${endpoint}/123456789012/spill`, region: 'us-west-2' }
      const sdk = await import('@aws-sdk/client-sqs')
      const client = await queueClient(sdk, queue)
      const received = new QueueApi(sdk, client, queue, systemClock).receive(90, 10)
      return received
        .then(
          () => 'received',
          (error: Error) => error.message,
        )
        .finally(() => client.destroy())
    })

  const putObjectAt = (endpoint: string) =>
    withKeys(() => {
      const place = { kind: 'bucket', bucket: 'letters', prefix: '', region: 'us-west-2', endpoint } as const
      return tryPlace(place, systemClock).then(
        () => 'put',
        (error: Error) => error.message,
      )
    })

  it.each<[string, (endpoint: string) => Promise<string>, limitMiB: number]>([
    ['Firehose', putTo, 8],
    ['STS', assumeAt, 1],
    ['SQS', receiveAt, 32],
    ['S3', putObjectAt, 1],
  ])('of %s is read no further than its limit', async (service, call, limitMiB) => {
    for (const status of [200, 500]) {
      const { endpoint, sent } = await startEndless(status)
      const message = await call(endpoint)
      // The SDK looks into a 200 of S3 for an error before it notes which answer it reads.
      const http = service === 'S3' && status === 200 ? '' : `, HTTP ${status}`
      expect(message).toContain(
        `The answer is larger than ${limitMiB * MIB} bytes (${service} in us-west-2${http})`,
      )
      // What the sockets hold comes on top.
      expect(sent()).toBeLessThan((limitMiB + 32) * MIB)
    }
  })
})

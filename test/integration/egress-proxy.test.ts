import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { systemClock } from '../../plugin/clock.js'
import { tryPlace } from '../../plugin/dead-letters/open-dead-letters.js'
import { createDelivery } from '../../plugin/delivery/create-delivery.js'
import type { DeadLetterBucket, DeadLetterQueue } from '../../plugin/settings/dead-letter-settings.js'
import { QueueApi, queueClient } from '../../plugin/spill/queue-api.js'
import { type ConnectProxy, startConnectProxy } from '../connect-proxy.js'
import { ROLE, records, startTestAws, type TestAws } from './aws.js'

let test: TestAws
let proxy: ConnectProxy
const environment = { ...process.env }

beforeEach(async () => {
  test = await startTestAws({ queues: ['spill', 'letters'] })
  proxy = await startConnectProxy()
})

afterEach(async () => {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  Object.assign(process.env, environment)
  proxy.close()
  await test.close()
})

const host = () => new URL(test.aws.endpoint).host

it('carries the calls of Firehose and STS where the settings name it', async () => {
  const httpsProxy = proxy.url.replace('//', '//user:p%40ss@')
  const delivery = createDelivery({ settings: test.settings({ httpsProxy }) })
  const outcomes = await delivery.deliver(records(3))
  await delivery.close()
  expect(outcomes.map(({ status }) => status)).toEqual(['delivered', 'delivered', 'delivered'])
  // A connection each, which is used again.
  expect(proxy.tunnels).toEqual([host(), host()])
  expect(new Set(proxy.authorizations)).toEqual(
    new Set([`Basic ${Buffer.from('user:p@ss').toString('base64')}`]),
  )
})

it('carries the calls of SQS where the settings of the spill name it', async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'secret' })
  const sdk = await import('@aws-sdk/client-sqs')
  const queue = {
    queueUrl: `${test.aws.endpoint}/123456789012/spill`,
    region: 'us-west-2',
    httpsProxy: proxy.url,
  }
  const client = await queueClient(sdk, queue)
  const attributes = await new QueueApi(sdk, client, queue, systemClock).attributes()
  client.destroy()
  expect(attributes).toHaveProperty('ApproximateNumberOfMessages')
  expect(proxy.tunnels).toEqual([host()])
})

it.each<[string, (endpoint: string) => DeadLetterQueue | DeadLetterBucket]>([
  [
    'SQS',
    (endpoint) => ({ kind: 'queue', queueUrl: `${endpoint}/123456789012/letters`, region: 'us-west-2' }),
  ],
  ['S3', (endpoint) => ({ kind: 'bucket', bucket: 'letters', prefix: '', region: 'us-west-2', endpoint })],
])('carries the calls of %s where the settings of the dead letters name it', async (_service, place) => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'secret' })
  await tryPlace({ ...place(test.aws.endpoint), httpsProxy: proxy.url }, systemClock)
  expect(new Set(proxy.tunnels)).toEqual(new Set([host()]))
})

it('carries the calls of the clients that get credentials inside the SDK', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'proxy-'))
  await writeFile(join(dir, 'token'), 'web-identity-token')
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  Object.assign(process.env, {
    AWS_CONFIG_FILE: join(dir, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(dir, 'none'),
    AWS_WEB_IDENTITY_TOKEN_FILE: join(dir, 'token'),
    AWS_ROLE_ARN: ROLE,
    // Only the proxy could know the way there.
    AWS_ENDPOINT_URL_STS: 'http://sts.example.invalid:4599',
  })
  const pool = createClientPool()
  const client = pool.get({ ...identity(), httpsProxy: proxy.url })
  await client.use(({ firehose }) => firehose.config.credentials()).catch(() => {})
  pool.close()
  await rm(dir, { recursive: true })
  expect(proxy.tunnels).toEqual(['sts.example.invalid:4599'])
})

it('that opens no tunnel is left in time', async () => {
  proxy.close()
  proxy = await startConnectProxy({ refuse: () => {} })
  const delivery = createDelivery({
    settings: test.settings({
      httpsProxy: proxy.url,
      roleAddress: undefined,
      requestTimeout: 300,
      deliveryTimeout: 500,
    }),
  })
  const [outcome] = await delivery.deliver(records(1))
  await delivery.close()
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_DELIVERY_TIMEOUT' } })
})

function identity() {
  return {
    region: 'us-west-2',
    roleAddress: undefined,
    externalId: undefined,
    endpoint: test.aws.endpoint,
    stsEndpoint: undefined,
    clientConfig: {},
  }
}

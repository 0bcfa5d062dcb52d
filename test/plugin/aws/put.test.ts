import { expect, it } from '@jest/globals'
import type { PooledClient } from '../../../plugin/aws/client.js'
import { createPut } from '../../../plugin/aws/put.js'
import { FirehoseError } from '../../../plugin/errors.js'
import { FakeClock } from '../../fake-clock.js'

const noCredentials = Object.assign(new Error('Could not load credentials from any providers'), {
  name: 'CredentialsProviderError',
})
const notAssumed = new FirehoseError('ERR_ASSUME_ROLE', 'Cannot assume the role', { cause: noCredentials })

it.each([
  ['', noCredentials],
  [' to assume the role with', notAssumed],
])(
  'waits for credentials%s where there were some, and parks where there never were any',
  async (_, error) => {
    let isWithout = true
    const answer = { RequestResponses: [{ RecordId: 'id' }] }
    const client = {
      credentialsGeneration: 0,
      puts: { putRecordBatch: () => (isWithout ? Promise.reject(error) : Promise.resolve(answer)) },
      use: (call: (client: unknown) => Promise<unknown>) => call(client),
    }
    const put = createPut({
      client: () => client as unknown as PooledClient,
      requestTimeout: 1_000,
      externalId: undefined,
      clock: new FakeClock(),
      region: 'us-west-2',
    })
    const records = [Buffer.from('{}\n')]
    expect(await put('PutRecordBatch', 's', records)).toMatchObject({ refusal: { class: 'park' } })
    isWithout = false
    expect(await put('PutRecordBatch', 's', records)).toEqual({ answers: [{ recordId: 'id' }] })
    isWithout = true
    expect(await put('PutRecordBatch', 's', records)).toMatchObject({ refusal: { class: 'retry' } })
  },
)

it('ends a call in time whose credentials are refused and never renewed', async () => {
  const clock = new FakeClock()
  const expired = Object.assign(new Error('The token expired'), { name: 'ExpiredTokenException' })
  const client = {
    credentialsGeneration: 0,
    puts: { putRecordBatch: () => Promise.reject(expired) },
    renewCredentials: () => new Promise<never>(() => {}),
    use: (call: (client: unknown) => Promise<unknown>) => call(client),
  }
  const put = createPut({
    client: () => client as unknown as PooledClient,
    requestTimeout: 1_000,
    externalId: undefined,
    clock,
    region: 'us-west-2',
  })
  const result = put('PutRecordBatch', 's', [Buffer.from('{}\n')])
  await clock.settle()
  await clock.advance(1_000)
  expect(await result).toMatchObject({ refusal: { class: 'retry' } })
})

it('tells no external ID that stands in what Firehose says of a record', async () => {
  const said = { ErrorCode: 'InternalFailure', ErrorMessage: 'no role for src_hush' }
  const client = {
    credentialsGeneration: 0,
    puts: { putRecordBatch: () => Promise.resolve({ RequestResponses: [said, { RecordId: 'id' }] }) },
    use: (call: (client: unknown) => Promise<unknown>) => call(client),
  }
  const put = createPut({
    client: () => client as unknown as PooledClient,
    requestTimeout: 1_000,
    externalId: 'src_hush',
    clock: new FakeClock(),
    region: 'us-west-2',
  })
  expect(await put('PutRecordBatch', 's', [Buffer.from('{}\n'), Buffer.from('{}\n')])).toEqual({
    answers: [
      {
        errorCode: 'InternalFailure',
        errorMessage: expect.stringMatching(
          /^no role for \(external ID\) \(Firehose in us-west-2, HTTP 200 InternalFailure\)/,
        ),
      },
      { recordId: 'id' },
    ],
  })
})

import { expect, it } from '@jest/globals'
import type { PooledClient } from '../../../plugin/aws/client.js'
import { createPut } from '../../../plugin/aws/put.js'
import { FakeClock } from '../../fake-clock.js'

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
  })
  const result = put('PutRecordBatch', 's', [Buffer.from('{}\n')])
  await clock.settle()
  await clock.advance(1_000)
  expect(await result).toMatchObject({ refusal: { class: 'retry' } })
})

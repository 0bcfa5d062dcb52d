import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { createClientPool } from '../../../plugin/aws/client-pool.js'
import { createLazyPut } from '../../../plugin/aws/sdk.js'
import type { AwsClientConfig } from '../../../plugin/settings/settings.js'
import { FakeClock } from '../../fake-clock.js'

const identity = {
  region: 'us-west-2',
  roleAddress: undefined,
  externalId: 'src_secret',
  endpoint: undefined,
  stsEndpoint: undefined,
}

function putWith(clientConfig: AwsClientConfig) {
  const clock = new FakeClock()
  const pool = createClientPool({ clock })
  const client = () => pool.get({ ...identity, clientConfig })
  return createLazyPut({
    client,
    requestTimeout: 1_000,
    externalId: identity.externalId,
    clock,
    region: identity.region,
  })
}

describe('a put that is loaded when it is called', () => {
  it('makes calls that come together while it is loaded', async () => {
    const seen: unknown[] = []
    const handle = async ({ headers }: { headers: Record<string, string> }) => {
      seen.push(headers['x-amz-target'])
      throw new Error('no network, src_secret')
    }
    const credentials = { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' }
    const put = putWith({ credentials, requestHandler: { handle } as never })
    const results = await Promise.all([1, 2].map(() => put('PutRecordBatch', 's', [Buffer.from('{}')])))
    expect(seen).toEqual(['Firehose_20150804.PutRecordBatch', 'Firehose_20150804.PutRecordBatch'])
    for (const result of results) {
      expect(result).toMatchObject({ refusal: { class: 'retry' } })
      expect(inspect(result)).not.toContain('src_secret')
    }
  })

  it('refuses what the SDK makes no client of, and does not reject', async () => {
    const unreadable = new Proxy<AwsClientConfig>(
      {},
      {
        ownKeys: () => {
          throw new Error('no settings for src_secret')
        },
      },
    )
    const put = putWith(unreadable)
    const result = await put('PutRecord', 's', [Buffer.from('{}')])
    expect(result).toMatchObject({ refusal: { class: 'park' } })
    expect('refusal' in result && result.refusal.error.message).not.toContain('src_secret')
  })
})

import { describe, expect, it, jest } from '@jest/globals'
import type { PooledClient } from '../../../plugin/aws/client.js'
import { type ClientPoolOptions, createClientPool } from '../../../plugin/aws/client-pool.js'
import type { ClientIdentity } from '../../../plugin/aws/sdk-clients.js'
import { FirehoseError } from '../../../plugin/errors.js'
import type { AwsClientConfig } from '../../../plugin/settings/settings.js'
import { FakeClock } from '../../fake-clock.js'

const role = 'arn:aws:iam::123456789012:role/segment-firehose'

function identity(others: Partial<ClientIdentity> = {}): ClientIdentity {
  return {
    region: 'us-west-2',
    roleAddress: role,
    externalId: 'src_a',
    endpoint: undefined,
    stsEndpoint: undefined,
    clientConfig: {},
    ...others,
  }
}

function poolOf(options: ClientPoolOptions = {}) {
  return createClientPool({ clock: new FakeClock(), ...options })
}

/** Of a client that has been used: before that there is nothing to destroy. */
async function destroysOf(client: PooledClient) {
  await client.use(() => Promise.resolve())
  return jest.spyOn(client.firehose, 'destroy')
}

/** A call that ends when it is told to. */
function pendingCall(client: PooledClient) {
  let end: () => void = () => {}
  const done = client.use(
    () =>
      new Promise<void>((resolve) => {
        end = resolve
      }),
  )
  return () => {
    end()
    return done
  }
}

describe('one identity', () => {
  it('has one client', () => {
    const pool = poolOf()
    expect(pool.get(identity())).toBe(pool.get(identity()))
    expect(pool.stats()).toEqual({ clients: 1, evictions: 0, assumeRoleCalls: 0 })
  })

  it.each<[string, Partial<ClientIdentity>]>([
    ['region', { region: 'eu-west-1' }],
    ['role', { roleAddress: `${role}-2` }],
    ['no role', { roleAddress: undefined }],
    ['external ID', { externalId: 'src_b' }],
    ['no external ID', { externalId: undefined }],
    ['endpoint', { endpoint: 'http://127.0.0.1:1' }],
    ['endpoint of STS', { stsEndpoint: 'http://127.0.0.1:1' }],
    ['client config', { clientConfig: { useFipsEndpoint: true } }],
    ['session', { assumeRole: { tags: { team: 'web' } } }],
    ['proxy', { httpsProxy: 'http://proxy:3128' }],
    ['no proxy', { httpsProxy: false }],
  ])('is another with another %s', (_name, others) => {
    const pool = poolOf()
    expect(pool.get(identity(others))).not.toBe(pool.get(identity()))
    expect(pool.get(identity(others))).not.toBe(pool.get(identity({ ...others, region: 'ap-south-1' })))
    expect(pool.stats().clients).toBeGreaterThanOrEqual(3)
  })

  it('cannot be forged with the values of another', () => {
    const pool = poolOf()
    const one = pool.get(identity({ externalId: 'a","b', endpoint: undefined }))
    expect(pool.get(identity({ externalId: 'a', endpoint: 'https://b' }))).not.toBe(one)
  })

  it('compares what is plain in a client config by its content, and functions and instances by which they are', () => {
    const pool = poolOf()
    const clientOf = (clientConfig: AwsClientConfig) => pool.get(identity({ clientConfig }))
    const credentials = { accessKeyId: 'AKIA', secretAccessKey: 's' }
    expect(clientOf({ credentials })).toBe(clientOf({ credentials: { ...credentials } }))
    // The SDK leaves its mark on the object it was given.
    expect(clientOf({ credentials })).toBe(
      clientOf({ credentials: Object.assign({ $source: { CREDENTIALS_CODE: 'e' } }, credentials) }),
    )
    expect(clientOf({ credentials })).not.toBe(
      clientOf({ credentials: { ...credentials, accessKeyId: 'AKIB' } }),
    )
    const provider = async () => credentials
    expect(clientOf({ credentials: provider })).toBe(clientOf({ credentials: provider }))
    expect(clientOf({ credentials: provider })).not.toBe(clientOf({ credentials: async () => credentials }))
    expect(clientOf({ tls: true, useFipsEndpoint: true })).toBe(
      clientOf({ useFipsEndpoint: true, tls: true }),
    )
    expect(clientOf({})).toBe(clientOf({}))
  })
})

describe('a full pool', () => {
  it('lets go of the client unused for longest', async () => {
    const pool = poolOf({ max: 2 })
    const [a, b] = ['src_a', 'src_b'].map((externalId) => pool.get(identity({ externalId }))) as [
      PooledClient,
      PooledClient,
    ]
    const destroys = { a: await destroysOf(a), b: await destroysOf(b) }
    pool.get(identity({ externalId: 'src_a' }))
    pool.get(identity({ externalId: 'src_c' }))
    expect(destroys.a).not.toHaveBeenCalled()
    expect(destroys.b).toHaveBeenCalledTimes(1)
    expect(pool.stats()).toMatchObject({ clients: 2, evictions: 1 })
    expect(pool.get(identity({ externalId: 'src_a' }))).toBe(a)
    expect(pool.get(identity({ externalId: 'src_b' }))).not.toBe(b)
  })

  it('destroys a client in use only after its last call', async () => {
    const pool = poolOf({ max: 1 })
    const client = pool.get(identity())
    const destroys = await destroysOf(client)
    const endFirst = pendingCall(client)
    const endSecond = pendingCall(client)
    pool.get(identity({ externalId: 'src_b' }))
    expect(pool.stats().evictions).toBe(1)
    expect(destroys).not.toHaveBeenCalled()
    await endFirst()
    expect(destroys).not.toHaveBeenCalled()
    await endSecond()
    expect(destroys).toHaveBeenCalledTimes(1)
  })

  it('destroys it also where its last call failed', async () => {
    const pool = poolOf({ max: 1 })
    const client = pool.get(identity())
    const destroys = await destroysOf(client)
    let fail: (error: Error) => void = () => {}
    const call = client.use(
      () =>
        new Promise((_resolve, reject) => {
          fail = reject
        }),
    )
    pool.get(identity({ externalId: 'src_b' }))
    fail(new Error('cut'))
    await expect(call).rejects.toThrow('cut')
    expect(destroys).toHaveBeenCalledTimes(1)
  })

  it('leaves a client alone whose request handler was handed in', async () => {
    const pool = poolOf({ max: 1 })
    const requestHandler = { handle: () => Promise.reject(new Error('unused')) }
    const client = pool.get(identity({ clientConfig: { requestHandler: requestHandler as never } }))
    const destroys = await destroysOf(client)
    pool.get(identity())
    expect(pool.stats().evictions).toBe(1)
    expect(destroys).not.toHaveBeenCalled()
  })
})

describe('a client', () => {
  it('is made once, at its first use', async () => {
    const client = poolOf().get(identity())
    expect(() => client.firehose).toThrow('not made yet')
    const seen = await Promise.all([1, 2].map(() => client.use(async ({ firehose }) => firehose)))
    expect(seen).toEqual([client.firehose, client.firehose])
    expect(seen[0]).toBe(seen[1])
  })

  it('is made for the calls under way when it is retired meanwhile, and destroyed after them', async () => {
    const pool = poolOf({ max: 1 })
    const client = pool.get(identity())
    const call = client.use(async ({ firehose }) => jest.spyOn(firehose, 'destroy'))
    pool.get(identity({ externalId: 'src_b' }))
    expect(await call).toHaveBeenCalledTimes(1)
  })

  it('is tried again where it could not be made', async () => {
    const read = jest.fn(() => undefined)
    const clientConfig = Object.defineProperty({}, 'logger', { enumerable: true, get: read })
    const client = poolOf().get(identity({ clientConfig }))
    const use = () => client.use(() => Promise.resolve())
    read.mockImplementationOnce(() => {
      throw new Error('no settings for a client')
    })
    await expect(use()).rejects.toThrow('no settings for a client')
    await expect(use()).resolves.toBeUndefined()
  })
})

describe('close', () => {
  it('destroys what is idle at once, and what is in use after its calls', async () => {
    const pool = poolOf()
    const idle = pool.get(identity())
    const busy = pool.get(identity({ externalId: 'src_b' }))
    const destroys = { idle: await destroysOf(idle), busy: await destroysOf(busy) }
    const end = pendingCall(busy)
    pool.close()
    expect(destroys.idle).toHaveBeenCalledTimes(1)
    expect(destroys.busy).not.toHaveBeenCalled()
    await end()
    expect(destroys.busy).toHaveBeenCalledTimes(1)
    expect(pool.stats()).toMatchObject({ clients: 0, evictions: 0 })
  })
})

describe('max', () => {
  it('is 100 where it is not set', () => {
    const pool = poolOf({ max: undefined })
    for (let i = 0; i < 101; i++) pool.get(identity({ externalId: `src_${i}` }))
    expect(pool.stats()).toMatchObject({ clients: 100, evictions: 1 })
  })

  it.each([0, -1, 1.5, 100_001, Number.NaN, Number.POSITIVE_INFINITY, '5'])('cannot be %p', (max) => {
    const make = () => poolOf({ max: max as number })
    expect(make).toThrow(FirehoseError)
    expect(make).toThrow(
      expect.objectContaining({ code: 'ERR_SETTINGS', message: expect.stringContaining('max: got ') }),
    )
  })
})

import { describe, expect, it, jest } from '@jest/globals'
import type { ClientIdentity, PooledClient } from '../../../plugin/aws/client.js'
import { type ClientPoolOptions, createClientPool } from '../../../plugin/aws/client-pool.js'
import { FirehoseError } from '../../../plugin/errors.js'
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

function destroysOf(client: PooledClient) {
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

  it('goes by the very object of a client config, and takes all empty ones for one', () => {
    const pool = poolOf()
    const clientConfig = { useDualstackEndpoint: true }
    expect(pool.get(identity({ clientConfig }))).toBe(pool.get(identity({ clientConfig })))
    expect(pool.get(identity({ clientConfig }))).not.toBe(
      pool.get(identity({ clientConfig: { ...clientConfig } })),
    )
    expect(pool.get(identity({ clientConfig: {} }))).toBe(pool.get(identity({ clientConfig: {} })))
  })
})

describe('a full pool', () => {
  it('lets go of the client unused for longest', () => {
    const pool = poolOf({ max: 2 })
    const [a, b] = ['src_a', 'src_b'].map((externalId) => pool.get(identity({ externalId }))) as [
      PooledClient,
      PooledClient,
    ]
    const destroys = { a: destroysOf(a), b: destroysOf(b) }
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
    const destroys = destroysOf(client)
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
    const destroys = destroysOf(client)
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

  it('leaves a client alone whose request handler was handed in', () => {
    const pool = poolOf({ max: 1 })
    const requestHandler = { handle: () => Promise.reject(new Error('unused')) }
    const client = pool.get(identity({ clientConfig: { requestHandler: requestHandler as never } }))
    const destroys = destroysOf(client)
    pool.get(identity())
    expect(pool.stats().evictions).toBe(1)
    expect(destroys).not.toHaveBeenCalled()
  })
})

describe('close', () => {
  it('destroys what is idle at once, and what is in use after its calls', async () => {
    const pool = poolOf()
    const idle = pool.get(identity())
    const busy = pool.get(identity({ externalId: 'src_b' }))
    const destroys = { idle: destroysOf(idle), busy: destroysOf(busy) }
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

import { describe, expect, it } from '@jest/globals'
import { AmbientCredentials } from '../../../plugin/aws/ambient-credentials.js'
import { FakeClock } from '../../fake-clock.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND

interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** One fetch, answered by hand. */
interface Fetch {
  readonly forceRefresh: boolean
  /** Of the provider that was asked. */
  readonly provider: number
  give(identity?: Partial<Identity>): void
  fail(error: Error): void
}

function harness() {
  const clock = new FakeClock()
  const fetches: Fetch[] = []
  let providers = 0
  const ambient = new AmbientCredentials({
    clock,
    source: 'a test',
    makeProvider: () => {
      const provider = ++providers
      return ({ forceRefresh }) =>
        new Promise((resolve, reject) => {
          const id = fetches.length + 1
          const give = (given: Partial<Identity> = {}) =>
            resolve({ accessKeyId: `key${id}`, secretAccessKey: 'secret', ...given })
          fetches.push({ forceRefresh, provider, give, fail: reject })
        })
    },
  })
  const key = async () => (await ambient.cache.credentials()).accessKeyId
  /** Settles before anyone waits for it. */
  const asked = async () => {
    const outcome = key().then(
      (accessKeyId) => accessKeyId,
      (error: Error) => `${error.name}: ${error.message}`,
    )
    await clock.settle()
    return { outcome }
  }
  return { ambient, clock, fetches, asked, key }
}

describe('a fetch that hangs', () => {
  it('is given up after 5 s, and the next asks a new provider', async () => {
    const { clock, fetches, asked } = harness()
    const first = await asked()
    await clock.advance(5 * SECOND)
    expect(await first.outcome).toBe('TimeoutError: No AWS credentials came from a test within 5000 ms')

    await clock.advance(SECOND)
    const second = await asked()
    expect(fetches.map(({ provider }) => provider)).toEqual([1, 2])
    fetches[1]?.give()
    expect(await second.outcome).toBe('key2')
  })

  it('is used after all where it comes late', async () => {
    const { clock, fetches, asked } = harness()
    const first = await asked()
    await clock.advance(5 * SECOND)
    await first.outcome
    await clock.advance(SECOND)
    const second = await asked()
    fetches[0]?.give()
    expect(await second.outcome).toBe('key1')
  })

  it('is used after all where it comes while nobody asks', async () => {
    const { clock, fetches, asked } = harness()
    const first = await asked()
    await clock.advance(5 * SECOND)
    await first.outcome
    fetches[0]?.give()
    await clock.settle()
    expect(await (await asked()).outcome).toBe('key1')
    expect(fetches).toHaveLength(1)
  })

  it('in the background costs no call anything', async () => {
    const { clock, fetches, asked } = harness()
    const first = await asked()
    fetches[0]?.give({ expiration: new Date(clock.wallTime() + 60 * MINUTE) })
    await first.outcome
    await clock.advance(56 * MINUTE)
    expect(await (await asked()).outcome).toBe('key1')
    await clock.advance(30 * SECOND)
    expect(await (await asked()).outcome).toBe('key1')
    expect(fetches).toHaveLength(3)
    fetches[2]?.give()
    await clock.settle()
    expect(await (await asked()).outcome).toBe('key3')
  })

  it('is one of three at most that are under way', async () => {
    const { clock, fetches, asked, ambient } = harness()
    for (let i = 0; i < 10; i++) {
      const { outcome } = await asked()
      await clock.advance(5 * SECOND)
      await outcome
      await clock.advance(6 * SECOND)
    }
    expect(fetches).toHaveLength(10)
    ambient.close()
    const { outcome } = await asked()
    for (const fetch of fetches) fetch.fail(new Error('over'))
    expect(await outcome).toBe('Error: over')
  })
})

describe('a provider', () => {
  it('is told to keep nothing back after a fetch that hung', async () => {
    const { clock, fetches, asked } = harness()
    const first = await asked()
    await clock.advance(5 * SECOND)
    await first.outcome
    await clock.advance(SECOND)
    const second = await asked()
    fetches[1]?.give({ expiration: new Date(clock.wallTime() + 60 * MINUTE) })
    await second.outcome
    await clock.advance(61 * MINUTE)
    await asked()
    expect(fetches.map(({ forceRefresh }) => forceRefresh)).toEqual([false, true, false])
  })

  it('is told to keep nothing back where AWS refused what it gave', async () => {
    const { ambient, fetches, asked } = harness()
    const first = await asked()
    fetches[0]?.give()
    await first.outcome
    ambient.renew(ambient.cache.generation)
    await asked()
    expect(fetches[1]?.forceRefresh).toBe(true)
  })

  it('is not asked again for keys that never expire', async () => {
    const { clock, fetches, asked } = harness()
    const first = await asked()
    fetches[0]?.give()
    await first.outcome
    await clock.advance(1_000 * 60 * MINUTE)
    expect(await (await asked()).outcome).toBe('key1')
  })

  it('fails as it fails, and is left alone for a while', async () => {
    const { clock, fetches, asked } = harness()
    const { outcome } = await asked()
    fetches[0]?.fail(Object.assign(new Error('none'), { name: 'CredentialsProviderError' }))
    expect(await outcome).toBe('CredentialsProviderError: none')
    expect(await (await asked()).outcome).toBe('CredentialsProviderError: none')
    expect(fetches).toHaveLength(1)
    await clock.advance(SECOND)
    await asked()
    expect(fetches).toHaveLength(2)
  })
})

describe('keys that no signature can be made of', () => {
  it.each([
    [{ secretAccessKey: 'secret\n' }, 'the secret access key ends with a line break; remove it'],
    [{ accessKeyId: 'key\r\n' }, 'the access key ID ends with a line break; remove it'],
    [{ accessKeyId: ' key' }, 'the access key ID has white space at its beginning or end; remove it'],
    [{ sessionToken: '"token"' }, 'the session token stands in quotation marks; remove them'],
  ])('%j are told from keys that AWS refuses, and not repeated', async (given, problem) => {
    const { fetches, asked } = harness()
    const { outcome } = await asked()
    fetches[0]?.give(given)
    expect(await outcome).toBe(
      `CredentialsProviderError: The AWS credentials from a test cannot be used: ${problem}`,
    )
  })
})

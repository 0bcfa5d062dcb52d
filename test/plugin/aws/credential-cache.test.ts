import { describe, expect, it } from '@jest/globals'
import { CredentialCache, type FetchedCredentials } from '../../../plugin/aws/credential-cache.js'
import { FakeClock } from '../../fake-clock.js'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const refused = () => Object.assign(new Error('refused'), { name: 'AccessDenied' })

/** A role whose `assume` is answered by hand, or at once where `automatic`. */
function harness({ automatic = true, lifetimeMs = HOUR } = {}) {
  const clock = new FakeClock()
  const open: { resolve: (lifetimeMs?: number) => void; reject: (error: Error) => void }[] = []
  const state = { calls: 0, down: undefined as Error | undefined, automatic, lifetimeMs }
  const role = new CredentialCache(() => {
    const id = ++state.calls
    if (state.automatic)
      return state.down ? Promise.reject(state.down) : Promise.resolve(credentials(id, state.lifetimeMs))
    return new Promise<FetchedCredentials>((resolve, reject) => {
      open.push({ resolve: (lifetimeMs = state.lifetimeMs) => resolve(credentials(id, lifetimeMs)), reject })
    })
  }, clock)
  const credentials = (id: number, lifetimeMs: number) => ({
    identity: { accessKeyId: `key ${id}`, secretAccessKey: 'secret', sessionToken: 'token' },
    lifetimeMs,
  })
  const key = async () => (await role.credentials()).accessKeyId
  return { clock, role, state, open, key }
}

describe('asking', () => {
  it('takes one call for 10,000 callers at once, and none for those that follow', async () => {
    const { role, state, open, key } = harness({ automatic: false })
    const callers = Array.from({ length: 10_000 }, key)
    expect(state.calls).toBe(1)
    open[0]?.resolve()
    expect(new Set(await Promise.all(callers))).toEqual(new Set(['key 1']))
    await Promise.all(Array.from({ length: 10_000 }, key))
    expect(state.calls).toBe(1)
    expect(role.generation).toBe(1)
  })

  it('tells all callers of one refusal', async () => {
    const { state, open, key } = harness({ automatic: false })
    const callers = Array.from({ length: 100 }, key)
    open[0]?.reject(new Error('refused'))
    const outcomes = await Promise.allSettled(callers)
    expect(
      outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason.message === 'refused'),
    ).toBe(true)
    expect(state.calls).toBe(1)
  })
})

describe('five minutes before the end', () => {
  it('fetches fresh credentials in the background, once, while it gives out the old', async () => {
    const { clock, state, open, key } = harness()
    await key()
    state.automatic = false
    await clock.advance(55 * MINUTE - 1)
    expect(await key()).toBe('key 1')
    expect(state.calls).toBe(1)

    await clock.advance(1)
    expect(await Promise.all([key(), key(), key()])).toEqual(['key 1', 'key 1', 'key 1'])
    expect(state.calls).toBe(2)
    open[0]?.resolve()
    await clock.settle()
    expect(await key()).toBe('key 2')
    expect(state.calls).toBe(2)
  })

  it('is a quarter of the life of credentials that live short', async () => {
    const { clock, state, key } = harness({ lifetimeMs: 8 * MINUTE })
    await key()
    await clock.advance(6 * MINUTE - 1)
    await key()
    expect(state.calls).toBe(1)
    await clock.advance(1)
    await key()
    expect(state.calls).toBe(2)
  })

  it('waits for credentials that ended before it was asked', async () => {
    const { clock, key } = harness()
    await key()
    await clock.advance(HOUR)
    expect(await key()).toBe('key 2')
  })
})

describe('a refresh that fails', () => {
  it('leaves the old credentials in use until they end, and is told only then', async () => {
    const { clock, state, key } = harness()
    await key()
    state.down = new Error('STS is down')
    await clock.advance(55 * MINUTE)
    for (let waited = 0; waited < 5 * MINUTE; waited += 10 * SECOND) {
      expect(await key()).toBe('key 1')
      await clock.advance(10 * SECOND)
    }
    await expect(key()).rejects.toThrow('STS is down')
  })

  it('is made up for by one that works', async () => {
    const { clock, state, key } = harness()
    await key()
    await clock.advance(55 * MINUTE)
    state.down = new Error('STS is down')
    await key()
    state.down = undefined
    await clock.advance(2 * MINUTE)
    expect(await key()).toBe('key 1')
    await clock.settle()
    expect(await key()).toBe('key 3')
  })

  it('does not ask more often than the pauses allow', async () => {
    const { clock, state, key } = harness()
    await key()
    state.down = new Error('STS is down')
    await clock.advance(55 * MINUTE)
    for (let i = 0; i < 1_000; i++) await key()
    expect(state.calls).toBe(2)
  })
})

describe('a refused role', () => {
  it('is not asked again at once: the refusal is told again', async () => {
    const { state, key } = harness()
    state.down = new Error('refused')
    for (let i = 0; i < 100; i++) await expect(key()).rejects.toBe(state.down)
    expect(state.calls).toBe(1)
  })

  it('is asked again after a pause that grows to a minute', async () => {
    const { clock, state, key } = harness()
    state.down = refused()
    // From 250 ms plus nothing to 250 ms plus the ceiling.
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      clock.willDraw(0.5)
      const calls = state.calls
      await expect(key()).rejects.toThrow('refused')
      expect(state.calls).toBe(calls + 1)
      await clock.advance(250 + ceiling / 2 - 1)
      await expect(key()).rejects.toThrow('refused')
      expect(state.calls).toBe(calls + 1)
      await clock.advance(1)
    }
  })

  it('is asked again sooner after a failure that passes', async () => {
    const { clock, state, key } = harness()
    state.down = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    for (const ceiling of [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      clock.willDraw(0.5)
      const calls = state.calls
      await expect(key()).rejects.toThrow('reset')
      expect(state.calls).toBe(calls + 1)
      await clock.advance(50 + ceiling / 2 - 1)
      await expect(key()).rejects.toThrow('reset')
      expect(state.calls).toBe(calls + 1)
      await clock.advance(1)
    }
  })

  it('pauses even where chance says 0', async () => {
    const { clock, state, key } = harness()
    state.down = refused()
    clock.willDraw(0)
    await expect(key()).rejects.toThrow('refused')
    await clock.advance(249)
    await expect(key()).rejects.toThrow('refused')
    expect(state.calls).toBe(1)
  })

  it('starts from the shortest pause again once it was granted', async () => {
    const { clock, state, key } = harness()
    state.down = new Error('refused')
    for (let i = 0; i < 6; i++) {
      await expect(key()).rejects.toThrow('refused')
      await clock.advance(2 * MINUTE)
    }
    state.down = undefined
    expect(await key()).toBe('key 7')

    await clock.advance(HOUR)
    state.down = new Error('refused anew')
    clock.willDraw(0.999)
    await expect(key()).rejects.toThrow('refused anew')
    await clock.advance(750)
    await expect(key()).rejects.toThrow('refused anew')
    expect(state.calls).toBe(9)
  })

  it('is told to all who ask during the pause, also where assume throws at once', async () => {
    const role = new CredentialCache(() => {
      throw new Error('thrown, not rejected')
    }, new FakeClock())
    await expect(role.credentials()).rejects.toThrow('thrown, not rejected')
  })
})

describe('renew', () => {
  it('drops the credentials of that generation', async () => {
    const { role, key } = harness()
    await key()
    role.renew(role.generation)
    expect(await key()).toBe('key 2')
    expect(role.generation).toBe(2)
  })

  it('leaves newer ones alone', async () => {
    const { role, state, key } = harness()
    await key()
    const failed = role.generation
    role.renew(failed)
    await key()
    role.renew(failed)
    role.renew(failed - 1)
    role.renew(failed + 5)
    expect(await key()).toBe('key 2')
    expect(state.calls).toBe(2)
  })

  it('by many at once makes one call', async () => {
    const { role, state, key } = harness()
    await key()
    const failed = role.generation
    const keys = await Promise.all(
      Array.from({ length: 100 }, () => {
        role.renew(failed)
        return key()
      }),
    )
    expect(new Set(keys)).toEqual(new Set(['key 2']))
    expect(state.calls).toBe(2)
  })

  it('while a refresh is under way waits for that one', async () => {
    const { clock, role, state, open, key } = harness()
    await key()
    await clock.advance(56 * MINUTE)
    state.automatic = false
    await key()
    role.renew(role.generation)
    const waiting = key()
    open[0]?.resolve()
    expect(await waiting).toBe('key 2')
    expect(state.calls).toBe(2)
  })

  it('before anything was asked for changes nothing', async () => {
    const { role, state, key } = harness()
    role.renew(role.generation)
    expect(await key()).toBe('key 1')
    expect(state.calls).toBe(1)
  })
})

describe('clocks that disagree', () => {
  it('credentials that seem to have ended already are used for a minute', async () => {
    const { clock, state, key } = harness({ lifetimeMs: -HOUR })
    expect(await key()).toBe('key 1')
    await clock.advance(44 * SECOND)
    expect(await key()).toBe('key 1')
    expect(state.calls).toBe(1)
    await clock.advance(16 * SECOND)
    expect(await key()).toBe('key 2')
  })

  it('a wall clock set back does not ask again', async () => {
    const { clock, state, key } = harness()
    await key()
    clock.setWallTime(0)
    await key()
    expect(state.calls).toBe(1)
  })
})

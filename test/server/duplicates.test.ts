import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../plugin/clock.js'
import { Deduplicator } from '../../server/intake/deduplicator.js'
import { MemoryDuplicateStore } from '../../server/intake/duplicate-store.js'
import { failure } from './fake-destination.js'
import { APP_KEY, basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const event = (messageId: string) => ({ type: 'track', event: 'E', userId: 'u1', messageId })

async function harness({ write }: { write?: () => Promise<void> } = {}) {
  const store = new MemoryDuplicateStore({ windowMs: 60_000, maxEntries: 100, clock: systemClock })
  const duplicates = new Deduplicator(store, { info() {}, warn() {}, error() {} }, systemClock)
  const made = proxyHarness({ source: { duplicates }, ...(write && { deadLetters: { write } }) })
  const url = await listen(made.proxy)
  const send = async (batch: unknown[], writeKey = WEB_KEY) => {
    const init = {
      method: 'POST',
      headers: { authorization: basic(writeKey) },
      body: JSON.stringify({ batch }),
    }
    return (await fetch(`${url}/v1/batch`, init)).status
  }
  const ids = () => made.web.delivered.map(({ messageId }) => messageId)
  return { ...made, send, ids }
}

describe('an event that comes twice', () => {
  it('is delivered once and acknowledged each time', async () => {
    const { proxy, send, ids } = await harness()
    expect(await send([event('a'), event('b')])).toBe(200)
    expect(await send([event('b'), event('c'), event('c')])).toBe(200)
    expect(ids()).toEqual(['a', 'b', 'c'])
    expect(proxy.stats().sources['Website']).toMatchObject({ duplicates: 2 })
  })

  it('is another event at another source', async () => {
    const { send, app } = await harness()
    await send([event('a')])
    await send([event('a')], APP_KEY)
    expect(app.delivered).toHaveLength(1)
  })

  it('is delivered again where it failed, and the rest of its batch is not', async () => {
    const { web, send, ids } = await harness()
    web.outcome = ({ messageId }) =>
      messageId === 'bad' ? failure('ERR_DELIVERY_TIMEOUT') : { status: 'delivered' }
    expect(await send([event('good'), event('bad')])).toBe(503)
    web.outcome = () => ({ status: 'delivered' })
    expect(await send([event('good'), event('bad')])).toBe(200)
    expect(ids()).toEqual(['good', 'bad'])
  })

  it('is one dead letter where it can never be delivered', async () => {
    const { web, letters, send } = await harness()
    web.outcome = () => failure('ERR_RECORD_TOO_LARGE')
    expect([await send([event('a')]), await send([event('a')])]).toEqual([200, 200])
    expect(letters).toHaveLength(1)
  })

  it('is not delivered again where only the dead letter of another could not be written', async () => {
    let isFull = true
    const write = async () => {
      if (isFull) throw new Error('ENOSPC')
    }
    const { web, send, ids } = await harness({ write })
    web.outcome = ({ messageId }) =>
      messageId === 'bad' ? failure('ERR_RECORD_TOO_LARGE') : { status: 'delivered' }
    expect(await send([event('good'), event('bad')])).toBe(503)
    isFull = false
    expect(await send([event('good'), event('bad')])).toBe(200)
    expect(ids()).toEqual(['good'])
  })

  it.each([200, 503])('shares the answer of the first while that is under way: %d', async (status) => {
    const { web, send } = await harness()
    let settle = () => {}
    const isAsked = new Promise<void>((asked) => {
      web.outcome = () =>
        new Promise((resolve) => {
          settle = () => resolve(status === 200 ? { status: 'delivered' } : failure('ERR_STREAM_UNAVAILABLE'))
          asked()
        })
    })
    const first = send([event('a')])
    await isAsked
    const twin = send([event('a')])
    // By then it has come and waits: another source's event, sent later, is through.
    expect(await send([event('z')], APP_KEY)).toBe(200)
    settle()
    expect([await first, await twin]).toEqual([status, status])
    expect(web.calls).toEqual(['deliver'])
  })

  it('does not hold up two requests that have each what the other has', async () => {
    const { web, send, ids } = await harness()
    const answers = await Promise.all([send([event('a'), event('b')]), send([event('b'), event('a')])])
    expect(answers).toEqual([200, 200])
    expect([...ids()].sort()).toEqual(['a', 'b'])
    expect(web.delivered).toHaveLength(2)
  })
})

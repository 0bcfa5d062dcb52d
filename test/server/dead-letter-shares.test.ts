import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { systemClock } from '../../plugin/clock.js'
import { DeadLetterFiles } from '../../plugin/dead-letters/dead-letter-files.js'
import { DeadLetterShares } from '../../plugin/dead-letters/dead-letter-shares.js'
import { Deduplicator } from '../../server/intake/deduplicator.js'
import { MemoryDuplicateStore } from '../../server/intake/duplicate-store.js'
import { APP_KEY, basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'
import { tempDir } from './temp-dir.js'

const logger = { info() {}, warn() {}, error() {} }
const good = { type: 'track', event: 'E', userId: 'u1', messageId: 'good' }
const bad = { type: 'nothing', userId: 'u1', text: 'x'.repeat(10_000) }

async function start() {
  const directory = join(tempDir(), 'dead-letters')
  const maxBytes = 200_000
  const store = new DeadLetterFiles(directory, systemClock, maxBytes)
  const deadLetters = new DeadLetterShares({ store, maxBytes })
  const duplicateStore = new MemoryDuplicateStore({ windowMs: 60_000, maxEntries: 100, clock: systemClock })
  const duplicates = new Deduplicator(duplicateStore, logger, systemClock)
  const harness = proxyHarness({ deadLetters, source: { duplicates } })
  const url = await listen(harness.proxy)
  const send = async (batch: readonly object[], writeKey?: string) => {
    const headers = writeKey === undefined ? {} : { authorization: basic(writeKey) }
    const res = await fetch(`${url}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ batch }) })
    return { status: res.status, headers: res.headers, answer: (await res.json()) as { code?: string } }
  }
  /** Sends bad events with the key until one is refused. */
  const fill = async (events: readonly object[], writeKey?: string) => {
    for (let i = 0; i < 100; i++) {
      const sent = await send(events, writeKey)
      if (sent.status !== 200) return sent
    }
    throw new Error('There was no end of it')
  }
  return { ...harness, directory, deadLetters, send, fill }
}

describe('a source that has used up its share of the dead letters', () => {
  it('is answered 503 for what would become one, and the others are not', async () => {
    const { send, fill, lines, proxy } = await start()
    const refused = await fill([bad], WEB_KEY)
    expect(refused).toMatchObject({ status: 503, answer: { code: 'dead_letters_full' } })
    expect(refused.headers.get('retry-after')).toBe('5')
    expect((await send([bad], APP_KEY)).status).toBe(200)
    const line = lines.find((it) => it.includes('dead_letters_full'))
    expect(line).toMatch(/^Turned away 1 request\(s\) of Website with 503 dead_letters_full: .*replay/)
    expect(lines.join()).not.toContain('src_web')
    while (proxy.stats().sources['App']?.deadLetterBytes === 0) await new Promise(setImmediate)
    const { sources, deadLetterBytes } = proxy.stats()
    expect(sources['Website']?.deadLetterBytes).toBeGreaterThan(85_000)
    expect(deadLetterBytes).toBe(
      (sources['Website']?.deadLetterBytes ?? 0) + (sources['App']?.deadLetterBytes ?? 0),
    )
  })

  it('has its good events delivered as ever, once', async () => {
    const { send, fill, web } = await start()
    await fill([bad], WEB_KEY)
    expect((await send([good], WEB_KEY)).status).toBe(200)
    // The batch is sent again, for the bad one; the good one has arrived.
    const next = { ...good, messageId: 'next' }
    expect((await send([next, bad], WEB_KEY)).status).toBe(503)
    expect((await send([next, bad], WEB_KEY)).status).toBe(503)
    expect(web.delivered.map(({ messageId }) => messageId)).toEqual(['good', 'next'])
  })

  it('is taken from again when files were moved away', async () => {
    const { directory, send, fill } = await start()
    await fill([bad], WEB_KEY)
    const elsewhere = tempDir()
    mkdirSync(elsewhere, { recursive: true })
    for (const name of readdirSync(directory)) renameSync(join(directory, name), join(elsewhere, name))
    expect((await send([bad], WEB_KEY)).status).toBe(200)
  })

  it('is told apart from events of no known source, which have a share of their own', async () => {
    const { send, fill } = await start()
    const mixed = [
      { ...good, writeKey: APP_KEY },
      { ...bad, writeKey: 'nobody' },
    ]
    expect((await fill(mixed)).answer.code).toBe('dead_letters_full')
    expect((await send([bad], WEB_KEY)).status).toBe(200)
    expect((await send([bad], APP_KEY)).status).toBe(200)
  })
})

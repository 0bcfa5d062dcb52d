import { expect, it } from '@jest/globals'
import type { EventOutcome } from '../../plugin/destination.js'
import { Deduplicator } from '../../server/intake/deduplicator.js'
import { MemoryDuplicateStore } from '../../server/intake/duplicate-store.js'
import { FakeClock } from '../fake-clock.js'
import { basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const quiet = { info() {}, warn() {}, error() {} }

it('answers 503 after some 7.5 s whatever hangs, and knows the events again once they are durable', async () => {
  const clock = new FakeClock()
  const store = new MemoryDuplicateStore({ windowMs: 60_000, maxEntries: 100, clock })
  const duplicates = new Deduplicator(store, quiet, clock)
  const harness = proxyHarness({ clock, source: { duplicates } })
  let deliver = (_outcome: EventOutcome) => {}
  const asked = new Promise<void>((called) => {
    harness.web.outcome = () =>
      new Promise((resolve) => {
        deliver = resolve
        called()
      })
  })
  const url = await listen(harness.proxy)
  const send = () =>
    fetch(`${url}/v1/batch`, {
      method: 'POST',
      headers: { authorization: basic(WEB_KEY) },
      body: JSON.stringify({ batch: [{ type: 'track', event: 'E', userId: 'u', messageId: 'm1' }] }),
    })
  let isAnswered = false
  const first = send().finally(() => {
    isAnswered = true
  })
  await asked
  await clock.advance(7_400)
  expect(isAnswered).toBe(false)
  await clock.advance(350)
  const answer = await first
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)])
  // Its events are still held, as they are still under way.
  expect(harness.budget.used).toBeGreaterThan(0)
  deliver({ status: 'delivered' })
  expect((await send()).status).toBe(200)
  expect([harness.web.delivered.length, harness.budget.used]).toEqual([1, 0])
})

it('leaves no rejection behind where what hung fails in the end', async () => {
  const clock = new FakeClock()
  const harness = proxyHarness({ clock })
  let fail = (_error: Error) => {}
  const asked = new Promise<void>((called) => {
    harness.web.outcome = () =>
      new Promise((_, reject) => {
        fail = reject
        called()
      })
  })
  const url = await listen(harness.proxy)
  const body = JSON.stringify({ writeKey: WEB_KEY, event: 'E', userId: 'u' })
  const answer = fetch(`${url}/v1/track`, { method: 'POST', body })
  await asked
  await clock.advance(7_750)
  expect((await answer).status).toBe(503)
  fail(new Error('in the end'))
  await clock.settle()
  expect(harness.budget.used).toBe(0)
})

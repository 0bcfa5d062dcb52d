import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { basic, listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'

const event = { type: 'track', event: 'E', userId: 'u1' }

async function send(body: string) {
  const harness = proxyHarness()
  const res = await request(await listen(harness.proxy))
    .post('/v1/batch')
    .set('Authorization', basic(WEB_KEY))
    .type('json')
    .send(body)
  return { ...harness, res }
}

describe('a batch that asks for far more memory than its body has bytes', () => {
  it('is refused where its events would each get a copy of a large context', async () => {
    const batch = Array.from({ length: 1_000 }, () => event)
    const { res, web } = await send(JSON.stringify({ context: { x: 'y'.repeat(100_000) }, batch }))
    expect([res.status, res.body.code]).toEqual([400, 'batch_too_large'])
    expect(web.delivered).toEqual([])
  })

  it('is delivered without a context that is nested too deep, which becomes a dead letter', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const { res, web, letters } = await send(`{"context":{"x":${deep}},"batch":[${JSON.stringify(event)}]}`)
    expect(res.status).toBe(200)
    expect(web.delivered).toHaveLength(1)
    expect(letters.map(({ code }) => code)).toEqual(['ERR_MALFORMED_BODY'])
  })

  it('is refused where it has more events than a body of real ones, and is one dead letter', async () => {
    const { res, letters } = await send(`{"batch":[${'0,'.repeat(10_000)}0]}`)
    expect([res.status, res.body.code]).toEqual([400, 'batch_too_large'])
    expect(letters.map(({ code }) => code)).toEqual(['ERR_MALFORMED_BODY'])
  })

  it('is taken with a context of usual size', async () => {
    const batch = Array.from({ length: 1_000 }, () => event)
    const { res, web } = await send(JSON.stringify({ context: { x: 'y'.repeat(2_000) }, batch }))
    expect(res.status).toBe(200)
    expect(web.delivered).toHaveLength(1_000)
  })
})

import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import { MAX_BODY_BYTES } from '../../../server/http/limits.js'
import { basic, listen, proxyHarness, WEB_KEY } from '../proxy-harness.js'
import { exchange, type RawRequest } from './wire.js'

type Headers = RawRequest['headers']

const track = { type: 'track', event: 'Größe', userId: 'u1' }
const keyedBatch = Buffer.from(JSON.stringify({ writeKey: WEB_KEY, batch: [track] }))

/** Sends what differs from a good batch to a proxy of its own. */
async function post(given: Partial<RawRequest>, harness = proxyHarness()) {
  const url = await listen(harness.proxy)
  const answer = await exchange(url, { path: '/v1/batch', headers: [], body: keyedBatch, ...given })
  return { ...harness, answer }
}

describe('a body that is compressed', () => {
  const deflated = { level: 0 } as const
  const flipped = gzipSync(keyedBatch)
  flipped.writeUInt8(flipped.readUInt8(flipped.length - 8) ^ 0xff, flipped.length - 8)

  it.each<[string, string, Buffer]>([
    ['gzip', 'gzip', gzipSync(keyedBatch)],
    [
      'gzip of several members',
      'gzip',
      Buffer.concat([keyedBatch.subarray(0, 9), keyedBatch.subarray(9)].map((it) => gzipSync(it))),
    ],
    [
      'gzip with a byte order mark in it',
      'gzip',
      gzipSync(Buffer.concat([Buffer.from('\uFEFF'), keyedBatch])),
    ],
    ['gzip in capitals, with spaces', ' GZip ', gzipSync(keyedBatch)],
    ['x-gzip', 'x-gzip', gzipSync(keyedBatch)],
    ['deflate with a header', 'deflate', deflateSync(keyedBatch)],
    ['deflate with a header, stored only', 'deflate', deflateSync(keyedBatch, deflated)],
    ['deflate without a header', 'deflate', deflateRawSync(keyedBatch)],
    ['deflate without a header, stored only', 'deflate', deflateRawSync(keyedBatch, deflated)],
    ['br', 'br', brotliCompressSync(keyedBatch)],
    ['deflate that is said to be gzip', 'gzip', deflateSync(keyedBatch)],
    ['plain text that is said to be deflate', 'deflate', keyedBatch],
    ['plain text that is said to be in an encoding that is not known', 'zstd', keyedBatch],
    ['two encodings', 'gzip, gzip', gzipSync(gzipSync(keyedBatch))],
    ['UTF-16 that says identity', 'identity', Buffer.from(keyedBatch.toString(), 'utf16le')],
  ])('is read with its length and in chunks: %s', async (_name, encoding, body) => {
    for (const framing of ['length', 'chunked'] as const) {
      const { answer, web, budget } = await post({ headers: [['Content-Encoding', encoding]], body, framing })
      expect(answer.status).toBe(200)
      expect(web.delivered).toMatchObject([track])
      expect(budget.used).toBe(0)
    }
  })

  it.each<[string, string, Buffer]>([
    ['gzip cut in its header', 'gzip', gzipSync(keyedBatch).subarray(0, 5)],
    ['gzip of a wrong checksum', 'gzip', flipped],
    [
      'gzip corrupt in the middle',
      'gzip',
      Buffer.concat([gzipSync(keyedBatch).subarray(0, 20), Buffer.alloc(40, 0xff)]),
    ],
    ['gzip that is not there', 'gzip', Buffer.alloc(0)],
    ['deflate that is not there', 'deflate', Buffer.alloc(0)],
    ['br cut short', 'br', brotliCompressSync(keyedBatch).subarray(0, 10)],
    ['an encoding that is not known', 'zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0])],
  ])('is refused with its length and in chunks: %s', async (_name, encoding, body) => {
    for (const framing of ['length', 'chunked'] as const) {
      const { answer, web, budget } = await post({ headers: [['Content-Encoding', encoding]], body, framing })
      expect(answer.status).toBe(400)
      expect(['invalid_encoding', 'malformed_json']).toContain(JSON.parse(answer.body).code)
      expect([web.calls, budget.used]).toEqual([[], 0])
    }
  })

  it.each([
    ['deflate with a header', 'deflate', deflateSync],
    ['deflate without a header', 'deflate', deflateRawSync],
    ['x-gzip', 'x-gzip', gzipSync],
  ])('is refused at the cap, in chunks too: %s', async (_name, encoding, compress) => {
    const bomb = compress(Buffer.alloc(64 * 1024 * 1024, 0x20))
    // What the cap does not stop has no room.
    const budget = new ByteBudget(MAX_BODY_BYTES + bomb.length + 1024 * 1024)
    const headers: Headers = [['Content-Encoding', encoding]]
    const { answer } = await post({ headers, body: bomb, framing: 'chunked' }, proxyHarness({ budget }))
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'body_too_large'])
    expect(budget.used).toBe(0)
  })
})

describe('a body that is no JSON object', () => {
  it.each<[string, Buffer, RawRequest['framing']]>([
    ['nothing, and no length', Buffer.alloc(0), 'none'],
    ['nothing, in chunks', Buffer.alloc(0), 'chunked'],
    ['white space', Buffer.from(' \r\n\t'), 'length'],
    ['a byte order mark', Buffer.from('\uFEFF'), 'length'],
    ['a number', Buffer.from('7'), 'length'],
    ['true', Buffer.from('true'), 'length'],
    ['UTF-16 of a number', Buffer.from('7000', 'utf16le'), 'length'],
    ['a form', Buffer.from(`data=${encodeURIComponent(keyedBatch.toString())}`), 'length'],
    ['zeros', Buffer.alloc(100), 'length'],
  ])('is 400 at every kind of path: %s', async (_name, body, framing = 'length') => {
    for (const path of ['/v1/batch', '/v1/track', '/v1/p/']) {
      const { answer, web, budget } = await post({
        path,
        headers: [['Authorization', basic(WEB_KEY)]],
        body,
        framing,
      })
      expect(answer.status).toBe(400)
      expect(['malformed_json', 'invalid_request']).toContain(JSON.parse(answer.body).code)
      expect([web.calls, budget.used]).toEqual([[], 0])
    }
  })

  it.each([
    ['UTF-16', Buffer.from(keyedBatch.toString(), 'utf16le'), 1],
    ['an array of events', Buffer.from(JSON.stringify([track])), 1],
    ['JSON and more', Buffer.concat([keyedBatch, Buffer.from('x')]), 1],
    ['two lines of JSON', Buffer.concat([keyedBatch, Buffer.from('\n'), keyedBatch]), 2],
  ])('is told from one with whole events: %s', async (_name, body, events) => {
    const { answer, web } = await post({ headers: [['Authorization', basic(WEB_KEY)]], body })
    expect([answer.status, web.delivered.length]).toEqual([200, events])
  })

  it('is told from one that is nested too deep', async () => {
    const depth = 100_000
    const nested = `{"writeKey":"${WEB_KEY}","batch":[{"type":"track","event":"E","userId":"u1","properties":${'['.repeat(depth)}${']'.repeat(depth)}}]}`
    const { answer, web } = await post({ body: Buffer.from(nested) })
    expect([answer.status, web.delivered.length]).toEqual([400, 0])
    expect(JSON.parse(answer.body).message).toContain('nested deeper than 1000 levels')
  })
})

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { heldBytes } from '../../plugin/delivery/held-bytes.js'
import { MAX_BODY_BYTES } from '../../server/http/limits.js'
import { readBody } from '../../server/http/read-body.js'
import { Reservation } from '../../server/http/reservation.js'
import { basic, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const track = { type: 'track', event: 'Größe', userId: 'u1' }
const json = JSON.stringify({ writeKey: WEB_KEY, batch: [track] })

/** A body of exactly so many bytes. */
function bodyOf(bytes: number): string {
  const empty = JSON.stringify({ writeKey: WEB_KEY, pad: '', batch: [] })
  return JSON.stringify({ writeKey: WEB_KEY, pad: 'x'.repeat(bytes - empty.length), batch: [] })
}

/** With a head of another length. */
function namedGzip(text: string): Buffer {
  const gzip = gzipSync(text)
  const named = Buffer.concat([gzip.subarray(0, 10), Buffer.from('events.json\0'), gzip.subarray(10)])
  named[3] = 0x08
  return named
}

/** One byte of its checksum is wrong. */
function spoilt(gzip: Buffer): Buffer {
  const other = Buffer.from(gzip)
  other.writeUInt8(other.readUInt8(gzip.length - 8) ^ 1, gzip.length - 8)
  return other
}

function cutOff(body: Buffer): Buffer {
  return body.subarray(0, body.length - 20)
}

function times(count: number, compress: (body: Buffer) => Buffer, text: string): Buffer {
  return Array.from({ length: count }).reduce<Buffer>((body) => compress(body), Buffer.from(text))
}

function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le')
}

async function post(
  body: Buffer | string | ReadableStream,
  headers: Record<string, string> = {},
  harness = proxyHarness(),
  path = '/v1/batch',
) {
  const url = await listen(harness.proxy)
  const res = await fetch(`${url}${path}`, { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
  return { ...harness, status: res.status, res, answer: (await res.json()) as Record<string, unknown> }
}

describe('a body', () => {
  it.each([
    ['text/plain', { 'content-type': 'text/plain' }],
    ['JSON', { 'content-type': 'application/json' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['nothing', { 'content-type': '' }],
  ])('is JSON though its Content-Type says %s', async (_name, headers) => {
    const { status, web } = await post(Buffer.from(json), headers)
    expect(status).toBe(200)
    expect(web.delivered).toMatchObject([track])
  })

  it.each([
    ['gzip', gzipSync(json)],
    ['x-gzip', gzipSync(json)],
    ['GZIP', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['deflate', deflateRawSync(json)],
    ['br', brotliCompressSync(json)],
    ['identity', Buffer.from(json)],
  ])('is inflated: %s', async (encoding, body) => {
    const { status, web, budget } = await post(body, { 'content-encoding': encoding })
    expect(status).toBe(200)
    expect(web.delivered).toMatchObject([track])
    expect(budget.used).toBe(0)
  })

  it.each([
    ['plain', Buffer.from(json), {}],
    ['gzip', gzipSync(json), { 'content-encoding': 'gzip' }],
  ])('may come in chunks, without Content-Length: %s', async (_name, body, headers) => {
    const stream = new ReadableStream({
      start(controller) {
        for (const byte of body) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    const { status, web } = await post(stream, headers as Record<string, string>)
    expect(status).toBe(200)
    expect(web.delivered).toMatchObject([track])
  })

  it.each<[string, string, Buffer]>([
    ['several encodings', 'deflate, gzip', gzipSync(deflateSync(json))],
    ['several encodings, some of which are none', 'identity, br,, gzip', gzipSync(brotliCompressSync(json))],
    ['gzip without its trailer', 'gzip', gzipSync(json).subarray(0, -8)],
    ['gzip with half of its trailer', 'x-gzip', gzipSync(json).subarray(0, -4)],
    ['zlib without its trailer', 'deflate', deflateSync(json).subarray(0, -4)],
    ['gzip with the name of a file', 'gzip', namedGzip(json)],
    ['gzip before a line end', 'gzip', Buffer.concat([gzipSync(json), Buffer.from('\n')])],
    ['gzip before what is no gzip', 'gzip', Buffer.concat([namedGzip(json), Buffer.from('\r\nmore')])],
    ['gzip in two members', 'gzip', Buffer.concat([gzipSync(json.slice(0, 9)), gzipSync(json.slice(9))])],
    ['plain JSON that says gzip', 'gzip', Buffer.from(json)],
    ['plain JSON that says deflate', 'deflate', Buffer.from(` \n${json}`)],
    ['plain JSON that says br', 'br', Buffer.from(json)],
    ['plain JSON that says several', 'gzip, br', Buffer.from(json)],
    ['plain JSON that names its charset as encoding', 'utf-8', Buffer.from(json)],
    ['plain JSON of an encoding that nobody knows', 'compress', Buffer.from(`\uFEFF${json}`)],
    ['zlib that says gzip', 'gzip', deflateSync(json)],
    ['gzip that says deflate', 'deflate', gzipSync(json)],
    ['gzip that says br', 'br', gzipSync(json)],
    ['gzip that says zstd', 'zstd', gzipSync(json)],
    ['gzip twice that says it once', 'gzip', gzipSync(gzipSync(json))],
    ['gzip that says nothing', '', gzipSync(json)],
    ['zlib that says identity', 'identity', deflateSync(json)],
  ])('is taken for what it is: %s', async (_name, encoding, body) => {
    const { status, answer, web, budget } = await post(body, { 'content-encoding': encoding })
    expect([status, answer]).toEqual([200, { success: true }])
    expect(web.delivered).toMatchObject([track])
    expect(budget.used).toBe(0)
  })

  it.each<[string, string, Buffer]>([
    ['a UTF-8 byte order mark', 'application/json', Buffer.from(`\uFEFF${json}`)],
    ['ISO-8859-1', 'application/json; charset=iso-8859-1', Buffer.from(json, 'latin1')],
    ['ISO-8859-1, in quotes', 'text/plain;CHARSET="ISO-8859-1"', Buffer.from(json, 'latin1')],
    ['UTF-8 that is declared as ISO-8859-1', 'application/json; charset=ISO-8859-1', Buffer.from(json)],
    ['UTF-8 that is declared as UTF-16', 'application/json; charset=utf-16', Buffer.from(json)],
    ['UTF-8 of a charset that nobody knows', 'application/json; charset=klingon', Buffer.from(json)],
    ['UTF-16, little-endian, with its mark', 'application/json', utf16(`\uFEFF${json}`)],
    ['UTF-16, big-endian, with its mark', 'application/json', utf16(`\uFEFF${json}`).swap16()],
    ['UTF-16, little-endian', 'application/json; charset=utf-16le', utf16(json)],
    ['UTF-16, big-endian, undeclared', 'application/json', utf16(json).swap16()],
  ])('is read in its charset: %s', async (_name, contentType, body) => {
    const { status, web } = await post(body, { 'content-type': contentType })
    expect(status).toBe(200)
    expect(web.delivered).toMatchObject([track])
  })

  it.each<[string, string, readonly number[]]>([
    ['windows-1252', '€ – Œuvre', [0x80, 0x20, 0x96, 0x20, 0x8c, 0x75, 0x76, 0x72, 0x65]],
    ['us-ascii', 'é', [0xe9]],
    ['iso-8859-15', '€', [0xa4]],
    ['koi8-r', 'да', [0xc4, 0xc1]],
    ['shift_jis', '日本', [0x93, 0xfa, 0x96, 0x7b]],
    ['iso-2022-jp', '日', [0x1b, 0x24, 0x42, 0x46, 0x7c, 0x1b, 0x28, 0x42]],
    // These bytes happen to be valid UTF-8.
    ['gbk', '模', [0xc4, 0xa3]],
  ])('is read in its charset: %s', async (charset, event, bytes) => {
    const [head = '', tail = ''] = JSON.stringify({ writeKey: WEB_KEY, userId: 'u1', event: '*' }).split('*')
    const body = gzipSync(Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]))
    const headers = { 'content-type': `application/json;charset=${charset}`, 'content-encoding': 'gzip' }
    const { status, web } = await post(body, headers, proxyHarness(), '/v1/track')
    expect(status).toBe(200)
    expect(web.delivered).toMatchObject([{ event }])
  })

  it.each<[string, Buffer | string, Record<string, string>, string]>([
    ['empty', '', {}, 'malformed_json'],
    ['cut off', json.slice(0, -4), {}, 'malformed_json'],
    ['no JSON', 'a=b', {}, 'malformed_json'],
    ['an array that is cut off', '[1', {}, 'malformed_json'],
    ['null', 'null', {}, 'invalid_request'],
    ['a string', '"x"', {}, 'invalid_request'],
    ['without a batch', '{}', {}, 'invalid_batch'],
    ['a batch that is an object', '{"batch":{}}', {}, 'invalid_batch'],
    ['cut off gzip', cutOff(gzipSync(json)), { 'content-encoding': 'gzip' }, 'malformed_json'],
    ['cut off zlib', cutOff(deflateSync(json)), { 'content-encoding': 'deflate' }, 'malformed_json'],
    ['cut off deflate', cutOff(deflateRawSync(json)), { 'content-encoding': 'deflate' }, 'malformed_json'],
    ['cut off br', brotliCompressSync(json).subarray(0, -12), { 'content-encoding': 'br' }, 'malformed_json'],
    ['the head of gzip', gzipSync(json).subarray(0, 10), { 'content-encoding': 'gzip' }, 'invalid_encoding'],
    ['spoilt gzip', spoilt(gzipSync(json)), { 'content-encoding': 'gzip' }, 'invalid_encoding'],
    ['spoilt gzip that says nothing', spoilt(gzipSync(json)), {}, 'invalid_encoding'],
    ['no gzip', 'a=b', { 'content-encoding': 'gzip' }, 'invalid_encoding'],
    ['no deflate', 'a=b', { 'content-encoding': 'deflate' }, 'invalid_encoding'],
    ['no br', Buffer.from([0xff, 0xff, 0xff, 0xff]), { 'content-encoding': 'br' }, 'invalid_encoding'],
    ['of an unknown encoding', 'a=b', { 'content-encoding': 'compress' }, 'invalid_encoding'],
    ['gzip five times', times(5, gzipSync, json), { 'content-encoding': 'gzip' }, 'invalid_encoding'],
  ])('that is %s is 400', async (_name, body, headers, code) => {
    const { status, res, answer, web, budget } = await post(body, {
      authorization: basic(WEB_KEY),
      ...headers,
    })
    expect([status, answer['code']]).toEqual([400, code])
    expect(answer['error']).toBe(answer['message'])
    expect(res.headers.get('content-type')).toContain('application/json')
    expect(web.calls).toEqual([])
    expect(budget.used).toBe(0)
    expect(JSON.stringify(answer)).not.toContain(WEB_KEY)
  })

  it('may be as large as the cap, and no larger', async () => {
    expect((await post(bodyOf(MAX_BODY_BYTES))).status).toBe(200)
    const over = await post(bodyOf(MAX_BODY_BYTES + 1))
    expect([over.status, over.answer['code']]).toEqual([400, 'body_too_large'])
  })

  it('may be no larger than the cap when it is inflated, or comes without Content-Length', async () => {
    const gzip = { 'content-encoding': 'gzip' }
    expect((await post(gzipSync(bodyOf(MAX_BODY_BYTES)), gzip)).status).toBe(200)
    const inflated = await post(gzipSync(bodyOf(MAX_BODY_BYTES + 1)), gzip)
    expect([inflated.status, inflated.answer['code']]).toEqual([400, 'body_too_large'])
    const chunked = await post(new Blob([bodyOf(MAX_BODY_BYTES + 1)]).stream())
    expect([chunked.status, chunked.answer['code']]).toEqual([400, 'body_too_large'])
  })

  it.each([
    ['gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20), { level: 9 })],
    ['br', brotliCompressSync(Buffer.alloc(64 * 1024 * 1024, 0x20), { params: { 1: 4 } })],
  ])('that is a bomb stops at the cap: %s', async (encoding, bomb) => {
    // What the cap does not stop has no room.
    const budget = new ByteBudget(MAX_BODY_BYTES + bomb.length + 1024 * 1024)
    const { status, answer } = await post(bomb, { 'content-encoding': encoding }, proxyHarness({ budget }))
    expect([status, answer['code']]).toEqual([400, 'body_too_large'])
    expect(budget.used).toBe(0)
  })
})

describe('a body that comes byte by byte', () => {
  it('is put together as it comes, so that it takes the memory that is counted', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    const text = JSON.stringify({ pad: 'x'.repeat(3_000) })
    const pieces: WeakRef<Buffer>[] = []
    let alive = 0
    async function* sent() {
      for (const character of text) {
        const piece = Buffer.from(character)
        pieces.push(new WeakRef(piece))
        yield piece
      }
      await turnOfTheLoop()
      collectGarbage()
      alive = pieces.filter((piece) => piece.deref() !== undefined).length
    }
    const req = Object.assign(Readable.from(sent(), { objectMode: false, highWaterMark: 1 }), { headers: {} })
    const { sent: gathered } = await readBody(
      req as unknown as IncomingMessage,
      new Reservation(new ByteBudget(MAX_BODY_BYTES)),
    )
    expect(gathered?.toString()).toBe(text)
    expect(alive).toBeLessThan(500)
  })
})

describe('at the memory cap', () => {
  const full = () => {
    const budget = new ByteBudget(json.length * 4)
    budget.take(json.length * 4 - 10)
    return budget
  }

  it('answers 503 before it reads the body', async () => {
    const harness = proxyHarness({ budget: full() })
    const url = new URL(await listen(harness.proxy))
    const socket = connect(Number(url.port), url.hostname)
    socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: ${json.length}\r\n\r\n`)
    const [answer] = await once(socket, 'data')
    socket.destroy()
    expect(String(answer)).toMatch(/^HTTP\/1.1 503 [\s\S]*\r\nRetry-After: [1-9]\d*\r\n[\s\S]*"memory_full"/)
    expect(harness.web.calls).toEqual([])
    expect(harness.proxy.stats().requests).toEqual({ accepted: 0, refused: 0, deferred: 1 })
  })

  it('answers 503 as soon as a body without Content-Length, or what is inflated, does not fit', async () => {
    const chunked = await post(new Blob([json]).stream(), {}, proxyHarness({ budget: full() }))
    expect([chunked.status, chunked.answer['code']]).toEqual([503, 'memory_full'])
    const budget = new ByteBudget(10_000)
    const body = gzipSync(bodyOf(10_000))
    const inflated = await post(body, { 'content-encoding': 'gzip' }, proxyHarness({ budget }))
    expect([inflated.status, inflated.answer['code']]).toEqual([503, 'memory_full'])
    expect(budget.used).toBe(0)
  })

  it('has given back its memory when the destinations take theirs', async () => {
    const harness = proxyHarness()
    let usedAtDelivery = -1
    harness.web.outcome = () => {
      usedAtDelivery = harness.budget.used
      return { status: 'delivered' }
    }
    await post(json, {}, harness)
    expect(usedAtDelivery).toBe(0)
  })
})

/** What its record counts for: its bytes, and the objects around them. */
const recordBytes = (event: object) => heldBytes(Buffer.from(`${JSON.stringify(event)}\n`))

describe('the memory of a request that is being delivered', () => {
  it('is held until it is answered, as far as its events are no records', async () => {
    const harness = proxyHarness()
    let deliver = () => {}
    const seen: object[] = []
    const asked = new Promise<void>((called) => {
      harness.web.outcome = (event) =>
        new Promise((resolve) => {
          seen.push(event)
          deliver = () => resolve({ status: 'unmapped' })
          called()
        })
    })
    const answered = post(json, {}, harness)
    await asked
    await new Promise(setImmediate)
    const held = harness.budget.used
    deliver()
    await answered
    expect(held).toBe(recordBytes(seen[0] as object))
    expect(harness.budget.used).toBe(0)
  })

  it('is not counted twice: what the destination counts is given back', async () => {
    const harness = proxyHarness()
    const bytes = 10
    const used: number[] = []
    harness.web.outcome = async () => {
      harness.budget.take(bytes)
      await new Promise(setImmediate)
      used.push(harness.budget.used)
      harness.budget.giveBack(bytes)
      return { status: 'delivered' }
    }
    await post(json, {}, harness)
    expect(used).toEqual([recordBytes(harness.web.delivered[0] as object)])
    expect(harness.budget.used).toBe(0)
  })
})

describe('a sender that goes away', () => {
  it('in the middle of its body leaves nothing behind', async () => {
    const harness = proxyHarness()
    let onClose = () => {}
    const gone = new Promise<void>((resolve) => {
      onClose = resolve
    })
    let onData = () => {}
    const received = new Promise<void>((resolve) => {
      onData = resolve
    })
    const url = new URL(
      await listen((req, res) => {
        harness.proxy(req, res)
        req.once('data', onData).once('close', onClose)
      }),
    )
    const socket = connect(Number(url.port), url.hostname)
    await once(socket, 'connect')
    socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: ${json.length + 10}\r\n\r\n${json}`)
    await received
    socket.destroy()
    await gone
    await new Promise((resolve) => setImmediate(resolve))
    expect(harness.web.calls).toEqual([])
    expect(harness.budget.used).toBe(0)
    expect(harness.lines).toEqual([])
    await harness.proxy.close({ timeout: 1 })
  })

  it('before the answer is delivered all the same', async () => {
    const harness = proxyHarness()
    let deliver = () => {}
    const asked = new Promise<void>((called) => {
      harness.web.outcome = () =>
        new Promise((resolve) => {
          deliver = () => resolve({ status: 'delivered' })
          called()
        })
    })
    const url = await listen(harness.proxy)
    const abort = new AbortController()
    const sent = fetch(`${url}/v1/batch`, { method: 'POST', body: json, signal: abort.signal }).catch(
      () => 'gone',
    )
    await asked
    abort.abort()
    expect(await sent).toBe('gone')
    deliver()
    await harness.proxy.close()
    expect(harness.web.delivered).toHaveLength(1)
    expect(harness.lines).toEqual([])
  })
})

it('gives its answer to who looks for it only when all is sent', async () => {
  const { proxy } = proxyHarness()
  const url = new URL(await listen(proxy))
  for (const connection of ['close', 'keep-alive']) {
    const socket = connect(Number(url.port), url.hostname).pause()
    const head = `POST /v1/batch HTTP/1.1\r\nHost: x\r\nConnection: ${connection}\r\nContent-Length: 20000000\r\n\r\n`
    await new Promise((sent) => socket.write(head + 'x'.repeat(20_000_000), sent))
    const [answer] = await once(socket.resume(), 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 400 [\s\S]*"body_too_large"/)
    socket.destroy()
  }
})

it('cuts off who goes on and on', async () => {
  const { proxy } = proxyHarness()
  const url = new URL(await listen(proxy))
  const socket = connect(Number(url.port), url.hostname).resume()
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  socket.write('POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n')
  const chunk = Buffer.alloc(1024 * 1024)
  const send = () => {
    if (socket.writable) socket.write(chunk, send)
  }
  send()
  await closed
})

it('answers the next request on the same connection after a refused one', async () => {
  const harness = proxyHarness()
  const url = new URL(await listen(harness.proxy))
  const socket = connect(Number(url.port), url.hostname)
  const wrong = '{"writeKey":"nope","batch":[]}'
  socket.write(`POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: ${wrong.length}\r\n\r\n${wrong}`)
  let seen = ''
  for await (const chunk of socket) {
    seen += String(chunk)
    if (seen.includes('401') && !seen.includes('200')) {
      const bytes = Buffer.byteLength(json)
      socket.write(
        `POST /v1/batch HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${bytes}\r\n\r\n${json}`,
      )
    }
  }
  expect(seen).toMatch(/^HTTP\/1.1 401[\s\S]*HTTP\/1.1 200/)
})

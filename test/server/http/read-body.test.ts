import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import { MAX_BODY_BYTES } from '../../../server/http/limits.js'
import { readBody, UndecodableBody } from '../../../server/http/read-body.js'
import { ReadWatch } from '../../../server/http/read-watch.js'
import { Reservation } from '../../../server/http/reservation.js'
import { FakeClock } from '../../fake-clock.js'

const event = { event: 'Größe 📏', userId: 'u1' }
const json = JSON.stringify(event)

type Request = Readable & { headers: Record<string, string>; body?: unknown; rawBody?: unknown }

/** A request whose body comes in these pieces, and has the length that its header says. */
function requestOf(pieces: readonly Buffer[], headers: Record<string, string> = {}): Request {
  const length = String(Buffer.concat(pieces).length)
  return Object.assign(Readable.from(pieces, { objectMode: false, autoDestroy: false }), {
    headers: { 'content-length': length, ...headers },
  })
}

const plain = (text = json) => requestOf(Array.from(Buffer.from(text), (byte) => Buffer.of(byte)))

/** A request that something has read to its end. */
async function readBefore(headers: Record<string, string> = {}): Promise<Request> {
  const req = plain()
  Object.assign(req.headers, headers)
  await once(req.resume(), 'end')
  return req
}

function read(req: Request, clock = new FakeClock(), budget = new ByteBudget(2 * MAX_BODY_BYTES)) {
  return readBody(req as unknown as IncomingMessage, new Reservation(budget), new ReadWatch(clock))
}

const text = async (req: Request, clock?: FakeClock) => (await read(req, clock)).bytes.toString()

const CONSUMED = { status: 500, code: 'body_consumed', message: expect.stringContaining('mount it before') }

describe('what was sent', () => {
  it('is given along as it came, where its headers say what it is', async () => {
    const gzip = gzipSync(json)
    const asPlain = await read(plain())
    const asGzip = await read(requestOf([gzip], { 'content-encoding': 'gzip' }))
    expect(asPlain.sent?.toString()).toBe(json)
    expect(asGzip.sent?.equals(gzip)).toBe(true)
    expect(asGzip.bytes.toString()).toBe(json)
  })

  it.each<[string, Buffer, Record<string, string>]>([
    ['it says gzip and is none', Buffer.from(json), { 'content-encoding': 'gzip' }],
    ['it is gzip and does not say so', gzipSync(json), {}],
    ['it ends early', gzipSync(json).subarray(0, -8), { 'content-encoding': 'gzip' }],
    [
      'something follows it',
      Buffer.concat([gzipSync(json), Buffer.from('..')]),
      { 'content-encoding': 'gzip' },
    ],
    ['it is no UTF-8', Buffer.from(json, 'utf16le'), {}],
    ['it has a byte order mark', Buffer.from(`\uFEFF${json}`), {}],
  ])('is not given along where %s', async (_what, body, headers) => {
    const { bytes, sent } = await read(requestOf([body], headers))
    expect(bytes.toString()).toBe(json)
    expect(sent).toBeUndefined()
  })

  it('is kept where it cannot be decoded', async () => {
    const body = Buffer.from('no gzip')
    const refusal = read(requestOf([body], { 'content-encoding': 'gzip' }))
    await expect(refusal).rejects.toMatchObject({ status: 400, code: 'invalid_encoding', sent: body })
    await expect(refusal).rejects.toBeInstanceOf(UndecodableBody)
  })
})

describe('a body that a parser has left', () => {
  const bytes = Buffer.from(json)
  const padded = Uint8Array.from([1, 2, ...bytes, 3])
  const inherited = Object.create(event) as object

  it.each<[string, unknown]>([
    ['a Buffer', bytes],
    ['a Uint8Array', Uint8Array.from(bytes)],
    ['a part of a Uint8Array', padded.subarray(2, -1)],
    ['an Int8Array', Int8Array.from(bytes)],
    ['a DataView', new DataView(padded.buffer, 2, bytes.length)],
    ['an ArrayBuffer', Uint8Array.from(bytes).buffer],
    ['bytes that are compressed', gzipSync(json)],
    ['bytes in UTF-16', Buffer.from(json, 'utf16le')],
    ['a string', json],
    ['a string with a byte order mark', `\uFEFF${json}`],
    ['a String', new String(json)],
    ['an object', event],
    ['an object without a prototype', Object.assign(Object.create(null), event)],
    ['an object that has all from its prototype', inherited],
    ['an object that writes itself', { toJSON: () => event }],
    ['a Map', new Map(Object.entries(event))],
  ])('is had as bytes: %s', async (_what, body) => {
    expect(await read(Object.assign(await readBefore(), { body }))).toMatchObject({
      bytes,
      sent: undefined,
    })
  })

  it.each<[string, unknown, string]>([
    ['an array', [event, { n: 1 }], JSON.stringify([event, { n: 1 }])],
    ['an empty array', [], '[]'],
    ['a Map of Maps', new Map([['a', [new Map([['b', 1]])]]]), '{"a":[{"b":1}]}'],
    ['a number', 7, '7'],
    ['false', false, 'false'],
    ['null', null, 'null'],
    ['an empty object', {}, '{}'],
  ])('is had as JSON: %s', async (_what, body, expected) => {
    const req = await readBefore({ 'content-length': '20' })
    expect(await text(Object.assign(req, { body }))).toBe(expected)
  })

  it.each<[string, Record<string, unknown>]>([
    ['an object beside its bytes', { body: { rounded: 1 }, rawBody: Buffer.from(json) }],
    ['an object beside its compressed bytes', { body: { rounded: 1 }, rawBody: gzipSync(json) }],
    ['an object beside its text', { body: { rounded: 1 }, rawBody: json }],
    ['nothing but its bytes', { rawBody: Buffer.from(json) }],
  ])('is taken as it came where there is %s', async (_what, left) => {
    expect(await text(Object.assign(await readBefore(), left))).toBe(json)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['the {} of Express 4', {}],
    ['an empty text', ''],
    ['a stream', new ReadableStream()],
    ['an empty Map', new Map()],
    ['a function', () => {}],
  ])('is read where that is %s, and nobody has read it', async (_what, body) => {
    expect(await text(Object.assign(plain(), { body, rawBody: Buffer.alloc(0) }))).toBe(json)
  })

  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['the {} of Express 4', {}],
    ['an empty text', ''],
    ['a Set', new Set([1])],
    ['a cycle', cyclic],
    ['a BigInt', 7n],
    ['a BigInt within', { batch: [{ n: 7n }] }],
    ['JSON read as a form', { [json]: '' }],
    ['a batch read as a form', { '{"batch":[{"event":"a': 'b"}]}' }],
  ])('is the fault of the host where it was read and is %s', async (_what, body) => {
    const req = await readBefore({ 'content-length': '100' })
    await expect(read(Object.assign(req, { body }))).rejects.toMatchObject(CONSUMED)
  })

  it('is the fault of its sender where it is nested too deeply to be written', async () => {
    let body: unknown = 1
    for (let depth = 0; depth < 100_000; depth++) body = [body]
    const req = Object.assign(await readBefore(), { body })
    await expect(read(req)).rejects.toMatchObject({ status: 400, code: 'invalid_request' })
  })

  it('counts towards the memory and the cap', async () => {
    const req = Object.assign(await readBefore(), { body: event })
    await expect(read(req, new FakeClock(), new ByteBudget(json.length))).rejects.toMatchObject({
      status: 503,
    })
    const large = Object.assign(await readBefore(), { body: { pad: 'x'.repeat(MAX_BODY_BYTES) } })
    await expect(read(large)).rejects.toMatchObject({ status: 400, code: 'body_too_large' })
  })

  it('may be empty, if nothing was sent', async () => {
    const req = requestOf([])
    await once(req.resume(), 'end')
    expect(await text(req)).toBe('')
  })
})

describe('a stream', () => {
  it.each<[string, (req: Request) => void]>([
    ['is paused', (req) => req.pause()],
    ['flows already', (req) => req.resume()],
    ['has another listener for its data', (req) => req.on('data', () => {})],
    ['has a listener that reads it when it can', (req) => req.on('readable', () => req.read())],
    ['has a listener that only looks', (req) => req.on('readable', () => {})],
    ['is piped elsewhere', (req) => void req.pipe(new PassThrough()).resume()],
    ['makes text of its bytes', (req) => req.setEncoding('utf8')],
    ['makes hexadecimal text of its bytes', (req) => req.setEncoding('hex')],
    ['makes Base64 of its bytes', (req) => req.setEncoding('base64')],
    ['makes Latin-1 of its bytes', (req) => req.setEncoding('latin1')],
  ])('is read to its end where it %s', async (_what, prepare) => {
    const req = plain()
    prepare(req)
    expect(await text(req)).toBe(json)
  })

  it('loses its byte order mark though it makes text of its bytes', async () => {
    const req = requestOf([Buffer.from(`\uFEFF${json}`)])
    req.setEncoding('utf8')
    expect(await text(req)).toBe(json)
  })

  it('has the bytes of what is no UTF-8 where the encoding that was set keeps them', async () => {
    const gzip = gzipSync(json)
    const req = requestOf([gzip.subarray(0, 7), gzip.subarray(7)], { 'content-encoding': 'gzip' })
    req.setEncoding('latin1')
    expect(await text(req)).toBe(json)
  })

  it('is the fault of the host where an encoding was set that spoils it', async () => {
    const req = requestOf([gzipSync(json)], { 'content-encoding': 'gzip' })
    req.setEncoding('utf8')
    await expect(read(req)).rejects.toMatchObject({
      ...CONSUMED,
      message: expect.stringContaining('setEncoding'),
    })
    const odd = requestOf([Buffer.from('{"a":1}')])
    odd.setEncoding('utf16le')
    await expect(read(odd)).rejects.toMatchObject(CONSUMED)
  })

  it('is measured in bytes though it gives text', async () => {
    const characters = MAX_BODY_BYTES / 2
    const piece = Buffer.from('é'.repeat(characters / 8))
    const budget = new ByteBudget(2 * MAX_BODY_BYTES)
    const fits = requestOf(Array.from({ length: 8 }, () => piece))
    fits.setEncoding('utf8')
    await read(fits, new FakeClock(), budget)
    expect(budget.used).toBe(2 * characters)
    const tooLarge = requestOf(Array.from({ length: 9 }, () => piece))
    tooLarge.setEncoding('utf8')
    await expect(read(tooLarge)).rejects.toMatchObject({ status: 400, code: 'body_too_large' })
  })

  it('is whole where its beginning was looked at and put back', async () => {
    const req = plain()
    await once(req, 'readable')
    const first = req.read(1) as Buffer
    req.unshift(first)
    expect(await text(req)).toBe(json)
  })

  it.each([
    ['announced', {}],
    ['not announced', { 'content-length': undefined }],
  ])(
    'is the fault of the host where its beginning was taken, and its length is %s',
    async (_what, headers) => {
      const req = plain()
      Object.assign(req.headers, headers)
      await once(req, 'readable')
      req.read(1)
      await expect(read(req)).rejects.toMatchObject(CONSUMED)
    },
  )

  it('that gives no bytes fails its request alone', async () => {
    const req = Object.assign(Readable.from([1, 2]), { headers: {} })
    await expect(read(req)).rejects.toThrow('a chunk that is a number')
  })

  it('that fails, once more or later, fails its request alone', async () => {
    const req = plain()
    const reading = read(req)
    req.emit('error', new Error('of the host'))
    req.emit('error', new Error('again'))
    await expect(reading).rejects.toThrow('of the host')
    const whole = plain()
    await read(whole)
    expect(() => whole.emit('error', new Error('late'))).not.toThrow()
  })

  it('whose methods a host app has broken fails its request alone', async () => {
    const req = plain()
    const reading = read(req)
    req.off = () => {
      throw new Error('no')
    }
    Object.defineProperty(req, 'readableEncoding', {
      get: () => {
        throw new Error('broken')
      },
    })
    req.emit('data', 'text')
    await expect(reading).rejects.toThrow('broken')
  })
})

describe('a stream that a host app changes while it is read', () => {
  const underWay = async () => {
    const clock = new FakeClock()
    const req = Object.assign(new Readable({ read() {}, autoDestroy: false }), {
      headers: { 'content-length': String(Buffer.byteLength(json)) },
      socket: { destroyed: false },
    })
    const body = text(req, clock)
    body.catch(() => {})
    req.push(json.slice(0, 5))
    await turnOfTheLoop()
    return { req, clock, body }
  }

  it('is read on when it was paused', async () => {
    const { req, clock, body } = await underWay()
    req.pause()
    req.push(json.slice(5))
    req.push(null)
    await clock.advance(1_000)
    expect(await body).toBe(json)
  })

  it('is read on when something listens to it otherwise', async () => {
    const { req, clock, body } = await underWay()
    req.on('readable', () => {})
    req.push(json.slice(5))
    req.push(null)
    await clock.advance(1_000)
    expect(await body).toBe(json)
  })

  it.each<[string, (req: Readable) => void]>([
    ['all listeners', (req) => req.removeAllListeners()],
    ['the listeners to its data', (req) => req.removeAllListeners('data')],
  ])('fails when it takes away %s', async (_what, change) => {
    const { req, clock, body } = await underWay()
    change(req)
    await clock.advance(1_000)
    await expect(body).rejects.toMatchObject(CONSUMED)
  })

  it('fails when it has ended and told nobody', async () => {
    const { req, clock, body } = await underWay()
    req.removeAllListeners('end')
    req.push(null)
    await clock.advance(1_000)
    await expect(body).rejects.toMatchObject(CONSUMED)
  })

  it.each<[string, (req: Readable & { socket: { destroyed: boolean } }) => void]>([
    ['it', (req) => req.destroy()],
    ['it, and listens alone,', (req) => req.removeAllListeners().destroy()],
    ['its socket', (req) => Object.assign(req.socket, { destroyed: true })],
  ])('fails when it destroys %s', async (_what, change) => {
    const { req, clock, body } = await underWay()
    change(req)
    await clock.advance(1_000)
    await expect(body).rejects.toThrow('cut off')
  })

  it('is watched no longer than it is read', async () => {
    const { req, clock, body } = await underWay()
    req.push(json.slice(5))
    req.push(null)
    await body
    await clock.advance(1_000)
    expect(clock.timers).toBe(0)
  })
})

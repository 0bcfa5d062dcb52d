import { describe, expect, it } from '@jest/globals'
import { readReplayEvent } from '../../server/replay/replay-event.js'
import { basic, type HarnessParts, listen, proxyHarness, WEB_KEY } from './proxy-harness.js'

const event = (id: string, more = '') =>
  `{"type":"track","event":"E","userId":"u","messageId":"${id}"${more}}`

async function post(
  body: string | Buffer,
  {
    path = '/v1/batch',
    headers = {},
    ...parts
  }: HarnessParts & { path?: string; headers?: Record<string, string> } = {},
) {
  const harness = proxyHarness(parts)
  const url = await listen(harness.proxy)
  const res = await fetch(url + path, {
    method: 'POST',
    body,
    headers: { 'user-agent': 'SDK/1.0', ...headers },
  })
  const answer = (await res.json()) as Record<string, unknown>
  const ids = harness.web.delivered.map(({ messageId }) => messageId)
  return { ...harness, status: res.status, answer, ids }
}

const key = { authorization: basic(WEB_KEY) }

describe('a batch that is broken in one place', () => {
  it('delivers its whole events, keeps the rest as a dead letter, and is answered 200', async () => {
    const body = `{"batch":[${event('a')},{"type":"track","event":"E","userId":"u","x":NaN},${event('b')}]}`
    const { status, ids, letters, lines } = await post(body, { headers: key })
    expect([status, ids]).toEqual([200, ['a', 'b']])
    expect(letters).toEqual([
      {
        at: expect.any(String),
        code: 'ERR_MALFORMED_BODY',
        reason: `it is not valid JSON at byte ${body.indexOf('NaN')}`,
        source: 'src_web',
        stream: null,
        messageId: null,
        data: {
          body: '{"type":"track","event":"E","userId":"u","x":NaN}',
          encoding: 'utf8',
          position: body.indexOf('NaN'),
          offset: body.indexOf('{"type":"track","event":"E","userId":"u","x"'),
          endpoint: '/v1/batch',
          userAgent: 'SDK/1.0',
        },
      },
    ])
    expect(lines).toEqual([expect.stringContaining('ERR_MALFORMED_BODY: gave up 1 event(s) of Website')])
  })

  it.each([
    ['in the body', `{"writeKey":"${WEB_KEY}","batch":[${event('a')},{"x":NaN}]}`],
    ['behind the break', `{"batch":[${event('a')},{"x":NaN}],"writeKey":"${WEB_KEY}"}`],
    [
      'in the events',
      `{"batch":[${event('a', `,"writeKey":"${WEB_KEY}"`)},{"x":NaN,"writeKey":"${WEB_KEY}"}]}`,
    ],
  ])('is known by a write key %s, which no dead letter has', async (_where, body) => {
    const { status, ids, letters } = await post(body)
    expect([status, ids, letters.length]).toEqual([200, ['a'], 1])
    expect(JSON.stringify(letters)).not.toContain(WEB_KEY)
  })

  it('keeps no address in the dead letter that the source does not keep', async () => {
    const broken = '{"context":{"ip":"203.0.113.77","\\u0069p" : "203.0.113.78"},"x":NaN}'
    const body = `{"batch":[${event('a')},${broken}]}`
    const bodyOf = async (ip: 'keep' | 'truncate' | 'drop') => {
      const { letters } = await post(body, { headers: key, source: { ip } })
      return (letters[0]?.data as { body?: string } | undefined)?.body
    }
    expect(await bodyOf('keep')).toBe(broken)
    expect(await bodyOf('truncate')).toContain('"ip":"203.0.113.0","\\u0069p" : "203.0.113.0"')
    expect(await bodyOf('drop')).not.toContain('203.0.113')
  })

  it('is 503 where the dead letter cannot be written, and nothing is lost', async () => {
    const deadLetters = { write: () => Promise.reject(new Error('disk full')) }
    const { status } = await post(`{"batch":[${event('a')},{"x":NaN}]}`, { headers: key, deadLetters })
    expect(status).toBe(503)
  })
})

describe('a body from which nothing can be delivered', () => {
  it.each<[string, string, string, string]>([
    ['no JSON', '/v1/batch', 'hello', 'malformed_json'],
    ['one broken event', '/v1/track', '{"event":"E","userId":"u","x":NaN}', 'malformed_json'],
    ['only broken events', '/v1/batch', '{"batch":[{"x":NaN},{"y":NaN}]}', 'malformed_json'],
    ['a batch of another kind', '/v1/batch', '{"batch":{}}', 'invalid_batch'],
    ['no object', '/v1/track', '"x"', 'invalid_request'],
    ['nested too deep', '/v1/track', `{"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`, 'malformed_json'],
  ])('is 400, and kept whole: %s', async (_what, path, body, code) => {
    const { status, answer, letters, web } = await post(body, { path, headers: key })
    expect([status, answer['code'], web.delivered]).toEqual([400, code, []])
    expect(letters).toMatchObject([
      {
        code: 'ERR_MALFORMED_BODY',
        source: 'src_web',
        data: { body, offset: 0, endpoint: path, userAgent: 'SDK/1.0' },
      },
    ])
  })

  it('is known by a write key in its text', async () => {
    const { status, letters } = await post(`{"writeKey" : "${WEB_KEY}", "batch":[{"x":NaN}]}`)
    expect([status, letters.length]).toEqual([400, 1])
    expect(JSON.stringify(letters)).not.toContain(WEB_KEY)
    expect(letters[0]?.data).toMatchObject({ body: '{"writeKey" : "[redacted]", "batch":[{"x":NaN}]}' })
  })

  it('is kept in base64 where it is no text', async () => {
    const body = Buffer.from('{"batch":[{"x":"\xff",}]}', 'latin1')
    const { letters } = await post(body, { headers: key })
    expect(letters).toMatchObject([{ data: { body: body.toString('base64'), encoding: 'base64' } }])
  })

  it('is kept in base64 where it cannot be inflated', async () => {
    const body = Buffer.from('\x1f\x8b neither gzip nor JSON', 'latin1')
    const { status, letters } = await post(body, { headers: { ...key, 'content-encoding': 'gzip' } })
    expect([status, letters]).toMatchObject([
      400,
      [{ code: 'ERR_MALFORMED_BODY', data: { body: body.toString('base64'), encoding: 'base64' } }],
    ])
  })

  it('leaves nothing without a known key, nor where it is empty', async () => {
    for (const body of ['{"batch":[{"x":NaN}]}', '{"writeKey":"nope","batch":[{"x":NaN}]}']) {
      const { status, letters } = await post(body)
      expect([status, letters]).toEqual([400, []])
    }
    const { status, letters } = await post('', { headers: key })
    expect([status, letters]).toEqual([400, []])
  })
})

describe('a body of an unusual form', () => {
  it.each([
    ['an array of events', `[${event('a')},${event('b')}]`, ['a', 'b']],
    ['one event', event('a'), ['a']],
    ['two envelopes', `{"batch":[${event('a')}]}{"batch":[${event('b')}]}`, ['a', 'b']],
    ['events on lines of their own', `${event('a')}\n${event('b')}`, ['a', 'b']],
    ['doubled commas', `{"batch":[${event('a')},,${event('b')}]}`, ['a', 'b']],
    ['NULs at its end', `{"batch":[${event('a')}]}\0\0`, ['a']],
  ])('is taken where a batch is expected: %s', async (_what, body, expected) => {
    const { status, ids, letters } = await post(body, { headers: key })
    expect([status, ids, letters]).toEqual([200, expected, []])
  })
})

describe('the identity of events', () => {
  it('is the digits that came: a hundred numbers are a hundred events', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `15418156036060364${80 + i}`)
    const events = ids.map((id) => event('x').replace('"x"', id))
    const { web } = await post(`{"batch":[${events.join(',')}]}`, { headers: key })
    expect(web.delivered.map(({ messageId }) => messageId)).toEqual(ids)
  })
})

describe('replay', () => {
  it('tells what is wrong with a dead letter that is no event', async () => {
    const { letters } = await post('{"batch":[{"x":NaN}]}', { headers: key })
    const read = readReplayEvent(Buffer.from(JSON.stringify(letters[0])))
    expect(read).toEqual({ problem: 'unreadable body', why: 'The body is not valid JSON (at byte 15)' })
  })
})

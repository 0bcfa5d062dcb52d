import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

/** A request that would cost far more than its bytes, if structure cost anything. */
export interface Bomb {
  readonly name: string
  readonly body: Buffer
  readonly encoding?: 'gzip' | 'br'
}

/** As much as the largest body may hold. */
const CAP = 5 * 1024 * 1024 - 1_000

const event = (more = '') => `{"type":"track","event":"E","userId":"u"${more}}`
const batch = (events: string, more = '') => `{"writeKey":"bomb-key"${more},"batch":[${events}]}`
const filled = (piece: string, head: string, tail: string) =>
  head + piece.repeat(Math.floor((CAP - head.length - tail.length) / piece.length)) + tail
const brotli = (text: string) =>
  brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 22 },
  })

const nested = (open: string, close: string) => {
  const depth = Math.floor((CAP - 100) / (open.length + close.length))
  return batch(event(`,"p":${open.repeat(depth)}1${close.repeat(depth)}`))
}

function keys(count: number, name: (i: number) => string): string {
  const members = Array.from({ length: count }, (_, i) => `"${name(i)}":0`).join(',')
  return batch(event(`,"properties":{${members.slice(0, members.lastIndexOf(',', CAP - 200))}}`))
}

/** Keys that a common hash (`h · 31 + byte`) takes for one. */
function collidingKey(i: number): string {
  return Array.from({ length: 18 }, (_, bit) => ((i >> bit) & 1 ? 'Aa' : 'BB')).join('')
}

const small = (count: number, more = '') =>
  batch(Array.from({ length: count }, (_, i) => event(`,"messageId":"${i}"${more}`)).join(','))

const texts: readonly (readonly [name: string, text: string])[] = [
  ['nested arrays', nested('[', ']')],
  ['nested objects', nested('{"a":', '}')],
  ['400,000 keys', keys(400_000, (i) => `k${i}`)],
  ['one key 600,000 times', keys(600_000, () => 'k')],
  ['110,000 keys of one hash', keys(110_000, collidingKey)],
  ['keys with escapes', keys(300_000, (i) => `\\u006b${i}`)],
  ['1.6 million {} in a batch', filled('{},', '{"writeKey":"bomb-key","batch":[', '{}]}')],
  [
    '1.6 million {} in properties',
    batch(filled('{},', event(',"p":[').slice(0, -1), '{}]}').slice(0, CAP - 100)),
  ],
  ['10,000 events', small(10_000)],
  ['10,000 invalid events', batch(Array(10_000).fill('{"type":"x"}').join(','))],
  [
    '10,000 events of unknown keys',
    batch(Array(10_000).fill(event(',"writeKey":"no"')).join(',')).replace('"writeKey":"bomb-key",', ''),
  ],
  ['50,000 events', batch(Array(50_000).fill(event()).join(','))],
  [
    'a shared context for 10,000 events',
    `{"writeKey":"bomb-key","context":{"x":"${'y'.repeat(1_900)}"},"batch":[${Array(10_000).fill(event(',"context":{"a":1}')).join(',')}]}`,
  ],
  [
    'pretty-printed',
    filled(`\n          ${event()},`, '{"writeKey":"bomb-key","batch":[', `${event()}]}`).slice(0, CAP),
  ],
  ['5 MB of numbers', batch(event(`,"p":[${'1.0,'.repeat(1_250_000)}1]`))],
  ['5 MB of backslashes', batch(event(`,"p":"${'\\\\'.repeat(2_500_000)}"`))],
  ['broken objects', filled('{x},', '{"writeKey":"bomb-key","batch":[', ']}')],
  ['open objects', filled('{"a":', '{"writeKey":"bomb-key","batch":[', '')],
  ['open quotes', filled('{"a', '{"writeKey":"bomb-key","batch":[', '')],
  ['good and broken events in turn', filled(`${event()},{x},`, '{"writeKey":"bomb-key","batch":[', ']}')],
  ['a messageId of 5 MB', batch(event(`,"messageId":"${'m'.repeat(5_000_000)}"`))],
  ['a number of 1 MB for a messageId', batch(event(`,"messageId":${'9'.repeat(1_000_000)}`))],
  ['a timestamp of 5 MB', batch(event(`,"timestamp":"${'2'.repeat(5_000_000)}"`))],
]

/** Each as it is, but for those that compress well: these come small. */
export const BOMBS: readonly Bomb[] = [
  ...texts.map(([name, text], i): Bomb => {
    if (i % 3 === 0) return { name: `${name} (br)`, body: brotli(text), encoding: 'br' }
    return i % 3 === 1
      ? { name: `${name} (gzip)`, body: gzipSync(text), encoding: 'gzip' }
      : { name, body: Buffer.from(text) }
  }),
  { name: 'not UTF-8', body: Buffer.from(small(9_000, ',"x":"\u00ff"'), 'latin1') },
]

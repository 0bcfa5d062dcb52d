import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

/** The cap of `serve`, before and after inflation. */
const MAX_BODY_BYTES = 5 * 1024 * 1024

/** The sources that bombs are sent to, by what is configured for them. */
export type BombedSource = 'plain' | 'ip-drop' | 'transform'

/** A body within the cap that may cost far more than its size. */
export interface Bomb {
  readonly name: string
  readonly path: '/v1/batch' | '/v1/track'
  /** @default none: plain */
  readonly encoding?: 'gzip' | 'br'
  /** @default 'plain' */
  readonly source?: BombedSource
  /** Whether HTTP Basic names the source; without it the events' own keys decide. @default true */
  readonly isAuthorized?: boolean
  /** Before it is compressed. */
  readonly body: () => Buffer
}

/** Bytes of a bomb as they go over the wire. */
export function wireBytes({ encoding, body }: Bomb): Buffer {
  const bytes = body()
  if (encoding === 'gzip') return gzipSync(bytes, { level: 9 })
  if (encoding === 'br') {
    return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
  }
  return bytes
}

/** An event's members up to its `properties`. */
const TRACK = '"type":"track","event":"e","userId":"u"'

/** A track event whose `properties` are the text, repeated as often as the cap allows with `between` in between. */
function filled(before: string, piece: string, after: string, between = ''): Buffer {
  const room = MAX_BODY_BYTES - before.length - after.length
  const count = Math.floor((room + between.length) / (piece.length + between.length))
  return Buffer.from(before + Array.from({ length: count }, () => piece).join(between) + after)
}

/** The numbers from 0, each made a text, as many as the cap allows. */
function counted(before: string, make: (i: number) => string, after: string): Buffer {
  const pieces: string[] = []
  let size = before.length + after.length
  for (let i = 0; ; i++) {
    const piece = make(i)
    size += piece.length + 1
    if (size > MAX_BODY_BYTES) break
    pieces.push(piece)
  }
  return Buffer.from(before + pieces.join(',') + after)
}

function times(count: number, make: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => make(i)).join(',')
}

const inProperties = (piece: string, between = ',') =>
  filled(`{${TRACK},"properties":{"p":[`, piece, ']}}', between)
const batchOf = (count: number, make: (i: number) => string, before = '') =>
  Buffer.from(`{${before}"batch":[${times(count, make)}]}`)
const nested = (open: string, close: string, room = MAX_BODY_BYTES - 100) => {
  const depth = Math.floor(room / (open.length + close.length))
  return Buffer.from(`{${TRACK},"properties":${open.repeat(depth)}1${close.repeat(depth)}}`)
}
const keys = (key: (i: number) => string) => counted(`{${TRACK},"properties":{`, (i) => `"${key(i)}":1`, '}}')

/** Bits of `i`, each written as one of two texts. */
function spelled(i: number, length: number, zero: string, one: string): string {
  return Array.from({ length }, (_, bit) => ((i >> bit) & 1 ? one : zero)).join('')
}

/** Two texts of so many characters whose polynomial hashes are the same modulo 2³², whatever odd factor they have. */
function thueMorse(length: number): [string, string] {
  const isOdd = (i: number) => i.toString(2).replaceAll('0', '').length % 2 === 1
  const text = Array.from({ length }, (_, i) => (isOdd(i) ? 'b' : 'a')).join('')
  return [text, text.replace(/./g, (it) => (it === 'a' ? 'b' : 'a'))]
}

const [SAME, HASH] = thueMorse(128)

/** As many of either as a real event has at most, and many more. */
const BATCH = 10_000

const STRUCTURE: readonly Bomb[] = [
  { name: 'brackets', path: '/v1/track', body: () => nested('[', ']') },
  { name: 'brackets, gzip', path: '/v1/track', encoding: 'gzip', body: () => nested('[', ']') },
  { name: 'brackets, br', path: '/v1/track', encoding: 'br', body: () => nested('[', ']') },
  { name: 'objects in objects', path: '/v1/track', encoding: 'br', body: () => nested('{"a":', '}') },
  {
    name: 'brackets 900 deep, again and again',
    path: '/v1/track',
    body: () => inProperties(`${'['.repeat(900)}${']'.repeat(900)}`),
  },
  { name: 'empty objects in properties', path: '/v1/track', encoding: 'br', body: () => inProperties('{}') },
  { name: 'objects of one member', path: '/v1/track', body: () => inProperties('{"":1}') },
  { name: 'objects of one repeated key', path: '/v1/track', body: () => inProperties('{"":1,"":1}') },
  { name: 'numbers', path: '/v1/track', body: () => inProperties('1') },
  {
    name: 'empty objects in the batch',
    path: '/v1/batch',
    encoding: 'br',
    body: () => filled('{"batch":[', '{}', ']}', ','),
  },
  {
    name: 'empty objects in a root array',
    path: '/v1/batch',
    encoding: 'br',
    body: () => filled('[', '{}', ']', ','),
  },
  {
    name: 'known keys in a batch',
    path: '/v1/batch',
    body: () => filled('{"batch":[', '{"context":{"library":{"name":1}}}', ']}', ','),
  },
  {
    name: 'batches in a batch',
    path: '/v1/batch',
    body: () => filled('{"batch":[],', '"batch":[{}]', '}', ','),
  },
]

const KEYS: readonly Bomb[] = [
  { name: 'keys, all different', path: '/v1/track', body: () => keys((i) => i.toString(36)) },
  { name: 'keys, all the same', path: '/v1/track', body: () => keys(() => 'a') },
  { name: 'keys of Aa and BB', path: '/v1/track', body: () => keys((i) => spelled(i, 12, 'Aa', 'BB')) },
  {
    name: 'keys with one hash under any factor',
    path: '/v1/track',
    body: () => keys((i) => spelled(i, 12, SAME, HASH)),
  },
  {
    name: 'keys with one hash, one of them twice',
    path: '/v1/track',
    body: () => keys((i) => spelled(i >> 1, 12, SAME, HASH)),
  },
  { name: 'keys with escapes', path: '/v1/track', body: () => keys((i) => `\\u0061${i.toString(36)}`) },
  { name: 'keys all of escapes', path: '/v1/track', body: () => keys(() => '\\u0061') },
  {
    name: 'one long key of escapes',
    path: '/v1/track',
    body: () => filled(`{${TRACK},"properties":{"`, '\\u0061', '":1}}'),
  },
  {
    name: 'keys of a different object each',
    path: '/v1/track',
    source: 'transform',
    body: () => counted(`{${TRACK},"properties":[`, (i) => `{"${i.toString(36)}":1}`, ']}'),
  },
]

const EVENTS: readonly Bomb[] = [
  {
    name: '50,000 events',
    path: '/v1/batch',
    encoding: 'br',
    body: () => batchOf(50_000, () => `{${TRACK}}`),
  },
  {
    name: '10,000 events',
    path: '/v1/batch',
    encoding: 'br',
    body: () => batchOf(BATCH, () => `{${TRACK}}`),
  },
  {
    name: '10,000 events of 500 bytes',
    path: '/v1/batch',
    body: () => batchOf(BATCH, () => `{${TRACK},"properties":{"p":"${'x'.repeat(440)}"}}`),
  },
  {
    name: '10,000 duplicates',
    path: '/v1/batch',
    encoding: 'br',
    body: () => batchOf(BATCH, () => `{${TRACK},"messageId":"m"}`),
  },
  {
    name: '10,000 invalid events',
    path: '/v1/batch',
    encoding: 'br',
    body: () => batchOf(BATCH, () => '{}'),
  },
  {
    name: '10,000 invalid events of 500 bytes',
    path: '/v1/batch',
    body: () => batchOf(BATCH, (i) => `{"messageId":"m${i}","properties":{"p":"${'x'.repeat(460)}"}}`),
  },
  {
    name: '10,000 events of unknown keys',
    path: '/v1/batch',
    encoding: 'br',
    isAuthorized: false,
    body: () =>
      batchOf(BATCH, (i) =>
        i === 0 ? `{${TRACK},"writeKey":"bombed-plain"}` : `{${TRACK},"writeKey":"k${i}"}`,
      ),
  },
  {
    name: '10,000 events, transform',
    path: '/v1/batch',
    source: 'transform',
    body: () => batchOf(BATCH, () => `{${TRACK},"properties":{"p":[${'1.0,'.repeat(100)}1]}}`),
  },
  {
    name: 'events of a million bytes',
    path: '/v1/batch',
    body: () =>
      batchOf(5, (i) => `{${TRACK},"messageId":"m${i}","properties":{"p":"${'x'.repeat(1_000_000)}"}}`),
  },
]

const SHARED: readonly Bomb[] = [
  {
    name: 'shared context, 2 KB for 10,000',
    path: '/v1/batch',
    body: () => batchOf(BATCH, () => `{${TRACK}}`, `"context":{${times(200, (i) => `"k${i}":1`)}},`),
  },
  {
    name: 'shared context, 2 KB, and own ones',
    path: '/v1/batch',
    body: () =>
      batchOf(
        BATCH,
        () => `{${TRACK},"context":{${times(40, (i) => `"o${i}":1`)}}}`,
        `"context":{${times(200, (i) => `"k${i}":1`)}},`,
      ),
  },
  {
    name: 'shared context, 200 KB for 100',
    path: '/v1/batch',
    body: () =>
      batchOf(100, () => `{${TRACK},"context":{"a":1}}`, `"context":{${times(18_000, (i) => `"k${i}":1`)}},`),
  },
  {
    name: 'shared context, 4.9 MB for 4',
    path: '/v1/batch',
    body: () =>
      batchOf(4, () => `{${TRACK},"context":{"a":1}}`, `"context":{${times(430_000, (i) => `"k${i}":1`)}},`),
  },
  {
    name: 'integrations of 32 KB',
    path: '/v1/batch',
    body: () => batchOf(155, () => `{${TRACK},"integrations":{${times(2_800, (i) => `"k${i}":1`)}}}`),
  },
  {
    name: 'shared integrations of 32 KB',
    path: '/v1/batch',
    body: () =>
      batchOf(
        640,
        () => `{${TRACK},"integrations":{"a":1}}`,
        `"integrations":{${times(2_800, (i) => `"k${i}":1`)}},`,
      ),
  },
  {
    name: 'integrations of 5 MB',
    path: '/v1/track',
    body: () => counted(`{${TRACK},"integrations":{`, (i) => `"${i}":1`, '}}'),
  },
  {
    name: 'context of 5 MB',
    path: '/v1/track',
    body: () => counted(`{${TRACK},"context":{`, (i) => `"${i}":1`, '}}'),
  },
]

const TEXTS: readonly Bomb[] = [
  {
    name: 'pretty-printed',
    path: '/v1/track',
    body: () => filled(`{${TRACK},"properties":{"p":[`, '\n        1', ']}}', ','),
  },
  { name: 'white space', path: '/v1/track', body: () => filled(`{${TRACK},"properties":{"p":1`, '\n', '}}') },
  {
    name: 'one string of backslashes',
    path: '/v1/track',
    body: () => filled(`{${TRACK},"properties":{"p":"`, '\\\\', '"}}'),
  },
  {
    name: 'one string of escapes',
    path: '/v1/track',
    body: () => filled(`{${TRACK},"properties":{"p":"`, '\\u0000', '"}}'),
  },
  {
    name: 'not UTF-8',
    path: '/v1/track',
    body: () =>
      Buffer.concat([
        Buffer.from(`{${TRACK},"properties":{"p":"`),
        Buffer.alloc(1_700_000, 0xff),
        Buffer.from('"}}'),
      ]),
  },
  {
    name: 'not UTF-8, 5 MB',
    path: '/v1/track',
    body: () =>
      Buffer.concat([
        Buffer.from(`{${TRACK},"properties":{"p":"`),
        Buffer.alloc(5_200_000, 0xff),
        Buffer.from('"}}'),
      ]),
  },
  {
    name: 'not UTF-8, pretty, repeated keys',
    path: '/v1/track',
    body: () =>
      Buffer.from(
        filled(`{${TRACK},"properties":{"p":[`, '\n{"\xe9":1,"a":1,"a":1}', ']}}', ',').toString(),
        'latin1',
      ).subarray(0, MAX_BODY_BYTES),
  },
  {
    name: 'not UTF-8 message IDs',
    path: '/v1/batch',
    body: () =>
      Buffer.from(
        `{"batch":[${times(BATCH, () => `{${TRACK},"messageId":"${'\xff'.repeat(300)}"}`)}]}`,
        'latin1',
      ),
  },
]

const long = (member: string, piece = 'x') =>
  filled(`{"type":"track","userId":"u",${member === 'event' ? '' : '"event":"e",'}"${member}":"`, piece, '"}')

const MEMBERS: readonly Bomb[] = [
  ...['event', 'messageId', 'anonymousId', 'timestamp', 'sentAt', 'channel', 'type'].flatMap(
    (member): Bomb[] => [
      { name: `${member} of 5 MB`, path: '/v1/track', body: () => long(member) },
      { name: `${member} of 5 MB of escapes`, path: '/v1/track', body: () => long(member, '\\u0131') },
    ],
  ),
  { name: 'timestamp of 5 MB of digits and spaces', path: '/v1/track', body: () => long('timestamp', '1 ') },
  { name: 'timestamp of 5 MB of brackets', path: '/v1/track', body: () => long('timestamp', '(') },
  {
    name: 'messageIds of 100 KB',
    path: '/v1/batch',
    body: () => batchOf(50, (i) => `{${TRACK},"messageId":"${i}${'x'.repeat(100_000)}"}`),
  },
  {
    name: 'messageId of a million digits',
    path: '/v1/track',
    body: () => Buffer.from(`{${TRACK},"messageId":${'1'.repeat(1_000_000)}}`),
  },
  {
    name: 'messageId of 5 million digits',
    path: '/v1/track',
    body: () => filled(`{${TRACK},"messageId":`, '1', '}'),
  },
  {
    name: 'timestamp of a million digits',
    path: '/v1/track',
    body: () => Buffer.from(`{${TRACK},"timestamp":${'1'.repeat(1_000_000)}}`),
  },
  {
    name: 'userId of 5 million digits',
    path: '/v1/track',
    body: () => filled('{"type":"track","event":"e","userId":', '1', '}'),
  },
  {
    name: 'context.userAgent of 5 MB',
    path: '/v1/track',
    body: () => filled(`{${TRACK},"context":{"userAgent":"`, '\\u0061', '"}}'),
  },
  {
    name: 'context.ip of 5 MB',
    path: '/v1/track',
    source: 'ip-drop',
    body: () => filled(`{${TRACK},"context":{"ip":"`, ':', '"}}'),
  },
]

const TRANSFORMED: readonly Bomb[] = [
  { name: 'transform: numbers', path: '/v1/track', source: 'transform', body: () => inProperties('1') },
  { name: 'transform: odd numbers', path: '/v1/track', source: 'transform', body: () => inProperties('1.0') },
  {
    name: 'transform: a million bytes of odd numbers',
    path: '/v1/track',
    source: 'transform',
    body: () => Buffer.from(`{${TRACK},"properties":{"p":[${'1.0,'.repeat(249_000)}1]}}`),
  },
  {
    name: 'transform: odd numbers 900 deep',
    path: '/v1/track',
    source: 'transform',
    body: () =>
      Buffer.from(
        `{${TRACK},"properties":{"p":${'['.repeat(900)}${'1.0,'.repeat(249_000)}1${']'.repeat(900)}}}`,
      ),
  },
  { name: 'transform: objects', path: '/v1/track', source: 'transform', body: () => inProperties('{}') },
  {
    name: 'transform: a million bytes of objects',
    path: '/v1/track',
    source: 'transform',
    body: () => Buffer.from(`{${TRACK},"properties":{"p":[${'{},'.repeat(330_000)}1]}}`),
  },
  {
    name: 'transform: a million bytes of keys',
    path: '/v1/track',
    source: 'transform',
    body: () => Buffer.from(`{${TRACK},"properties":{${times(85_000, (i) => `"k${i}":1.0`)}}}`),
  },
  {
    name: 'transform: five times a million bytes',
    path: '/v1/batch',
    source: 'transform',
    body: () =>
      batchOf(5, (i) => `{${TRACK},"messageId":"m${i}","properties":{"p":[${'{},'.repeat(330_000)}1]}}`),
  },
]

const EVENT = `{${TRACK}}`

const BROKEN: readonly Bomb[] = [
  ...[
    ['{x},', '{"batch":[', ']}'],
    ['{"a":', '{"batch":[', ''],
    ['{"type":"track","a":', '{"batch":[', ''],
    ['{', '{"batch":[', ''],
    ['[', '{"batch":[', ''],
    ['{"', '{"batch":[', ''],
    ['"', '{"batch":[', ''],
    ['}', '{"batch":[', ''],
    [`${EVENT}{"a":"`, '{"batch":[', ']}'],
    [`${EVENT},{x},`, '{"batch":[', ']}'],
    [`${EVENT}`, '{"batch":[', ''],
    [`${EVENT}\0`, '{"batch":[', ']}'],
    ['{"type":"track}', '{"batch":[', ']}'],
    [`${EVENT},`, `{"batch":[${EVENT},{"a":"`, ']}'],
    ['x', '{"batch":[', ']}'],
    ['{},', '{"batch":[x,', ']}'],
    ['{"type":1},', '{"batch":[x,', ']}'],
    ['"writeKey":"x",', '{"batch":[x,', ']}'],
    ['{"a":1}', '', ''],
    ['"a":x,', '{', '}'],
    ['"a":1,', '{"b":x,', '}'],
    ['[1}', '{"batch":[', ']}'],
    [`{"a":[{"b":[${EVENT}`, '{"batch":[', ']}'],
    ['\\', '{"batch":[{"a":"', ''],
    [`{"type":"track","x":${'['.repeat(999)}`, '{"batch":[', ']}'],
  ].map(
    ([piece = '', before = '', after = '']): Bomb => ({
      name: `broken: ${before.slice(10)}${piece.length > 30 ? `${piece.slice(0, 30)}…` : piece} repeated`.replaceAll(
        '\0',
        '\\0',
      ),
      path: '/v1/batch',
      body: () => filled(before, piece, after),
    }),
  ),
  ...(['plain', 'ip-drop'] as const).flatMap((source): Bomb[] => [
    {
      name: `broken, ${source}: "ip":"1.2.3.4" repeated`,
      path: '/v1/batch',
      source,
      body: () => filled('{"batch":[x,', '"ip":"1.2.3.4",', ']}'),
    },
    {
      name: `broken, ${source}: "ip":":::" repeated`,
      path: '/v1/batch',
      source,
      body: () => filled('{"batch":[x,', '"ip":":::",', ']}'),
    },
    {
      name: `broken, ${source}: "":"" repeated`,
      path: '/v1/batch',
      source,
      body: () => filled('{"batch":[x,', '"":"",', ']}'),
    },
    {
      name: `broken, ${source}: one long ip`,
      path: '/v1/batch',
      source,
      body: () => filled('{"batch":[x,"ip":"', '\\u0031', '"]}'),
    },
    {
      name: `broken, ${source}: a good event and one with an ip in turn`,
      path: '/v1/batch',
      source,
      body: () => filled('{"batch":[', `${EVENT},{"ip":"1.2.3.4",x},`, ']}'),
    },
  ]),
  {
    name: 'broken, no key: "writeKey":"x" repeated',
    path: '/v1/batch',
    isAuthorized: false,
    body: () => filled('{"batch":[x,', '"writeKey":"x",', ']}'),
  },
  {
    name: 'broken, not UTF-8',
    path: '/v1/batch',
    body: () => Buffer.concat([Buffer.from('{"batch":[x,'), Buffer.alloc(5_200_000, 0xff)]),
  },
]

/** Every kind of body that costs more than its bytes tell, by what it plays on. */
export const BOMBS: readonly Bomb[] = [
  ...STRUCTURE,
  ...KEYS,
  ...EVENTS,
  ...SHARED,
  ...TEXTS,
  ...MEMBERS,
  ...TRANSFORMED,
  ...BROKEN,
]

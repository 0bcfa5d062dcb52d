import { beforeAll, describe, expect, it } from '@jest/globals'
import { type CollectorOptions, startCollector, WEB_KEY } from '../browser/collector.js'
import { makeCertificate } from '../browser/tls-front.js'
import { type Digits, expectedRecords, parseDigits } from './expected-record.js'
import { phpValues, type RecordedValues, rubyValues } from './fixtures/recorded-values.js'
import { type Sent, startRecorder } from './recorder.js'
import { startSdk } from './running-sdk.js'
import { describeFor, SDKS, type SdkProgram } from './sdk-programs.js'
import { exchange } from './wire.js'

const JVM = {
  snowflake: '1541815603606036480',
  aboveSafe: '9007199254740993',
  maxLong: '9223372036854775807',
  maxUnsigned: '18446744073709551615',
  tenMillions: '1.2345678E7',
  small: '1.0E-7',
  large: '1.0E21',
  negativeZero: '-0.0',
  third: '0.3333333333333333',
  float: '0.1',
}
const { float: _float, ...SCRIPTS } = { ...JVM, tenMillions: '12345678.0' }

/** How each SDK writes the numbers that its program gives it. */
const NUMBERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'analytics-java': { ...JVM, decimal: '12345678901234567890.123456789' },
  'analytics-kotlin': { ...JVM, decimal: '1.2345678901234567E19' },
  'analytics-go': {
    ...JVM,
    tenMillions: '12345678',
    small: '1e-7',
    large: '1e+21',
    negativeZero: '-0',
    decimal: '12345678901234567890.123456789',
  },
  'analytics-python': { ...SCRIPTS, small: '1e-07', large: '1e+21', decimal: '1.2345678901234567e+19' },
  'analytics-ruby': { ...SCRIPTS, small: '1.0e-07', large: '1.0e+21' },
  'analytics-php': {
    ...SCRIPTS,
    maxUnsigned: '1.8446744073709552e+19',
    tenMillions: '12345678',
    small: '1.0e-7',
    large: '1.0e+21',
    negativeZero: '-0',
  },
}

interface Delivery {
  readonly sent: readonly Pick<Sent, 'path' | 'headers' | 'body' | 'text'>[]
  /** Of the files that Firehose would write. */
  readonly lines: readonly string[]
}

const certificate = makeCertificate()

/** Runs the SDK, and waits until all that it sends has its records. */
async function deliver(sdk: SdkProgram): Promise<Delivery> {
  const recorder = await startRecorder(sdk.isTlsOnly ? certificate : undefined)
  const collector = await startCollector()
  recorder.target = collector.url
  const running = startSdk(sdk, { url: recorder.url, writeKey: WEB_KEY, certificate })
  running.do('values', 'flush')
  await running.waitFor(recorder.sent.until(1))
  const lines = await collector.lines(1)
  await running.close()
  expect(running.errors.all).toEqual([])
  const sent = recorder.sent.all
  return { sent, lines: sent.length === 1 ? lines : await collector.lines(countOf(sent)) }
}

function countOf(sent: Delivery['sent']): number {
  return expectedRecords(sent.map(({ text }) => text)).size
}

async function deliverRecorded({ request }: RecordedValues): Promise<Delivery> {
  const { body: text, ...rest } = request(WEB_KEY, new Date())
  const sent = [{ ...rest, text, body: Buffer.from(text) }]
  return { sent, lines: await deliverAgain(sent, {}) }
}

/** Sends the same bytes to another collector. */
async function deliverAgain(sent: Delivery['sent'], options: CollectorOptions): Promise<string[]> {
  const collector = await startCollector(options)
  for (const { path, headers, body } of sent) {
    const { status } = await exchange(collector.url, { path, headers, body })
    expect(status).toBe(200)
  }
  return collector.lines(countOf(sent))
}

const live = SDKS.map((sdk) => ({
  describe: describeFor(sdk),
  name: `the ${sdk.name} SDK`,
  library: sdk.library,
  start: () => deliver(sdk),
}))
const recorded = [rubyValues, phpValues].map((values) => ({
  describe,
  name: `${values.sdk}, as recorded,`,
  library: values.library,
  start: () => deliverRecorded(values),
}))

for (const { describe, name, library, start } of [...live, ...recorded])
  describe(`what ${name} sends`, () => {
    let sent: Delivery['sent'] = []
    let lines: Delivery['lines'] = []
    let expected: ReadonlyMap<string, Digits> = new Map()
    beforeAll(async () => {
      const delivery = await start()
      sent = delivery.sent
      lines = delivery.lines
      expected = expectedRecords(sent.map(({ text }) => text))
    }, 60_000)

    /** Each record, with what is expected of it. */
    function pairs(written: readonly string[]): [Digits, Digits][] {
      const records = written.map(parseDigits)
      expect(new Set(records.map(({ messageId }) => messageId))).toEqual(new Set(expected.keys()))
      return records.map((record) => [record, expected.get(String(record['messageId'])) ?? {}])
    }

    it('has numbers as that SDK writes them', () => {
      const [numbers] = [...expected.values()].filter(({ event }) => event === 'Numbers')
      const known = Object.entries(NUMBERS[library] ?? {}).map(([name, text]) => [name, { digits: text }])
      expect(numbers?.['properties']).toMatchObject(Object.fromEntries(known))
    })

    it('is in the records whole, each number with the digits that it came with', () => {
      for (const [record, { timestamp, originalTimestamp, sentAt, ...rest }] of pairs(lines)) {
        expect(record).toMatchObject(rest)
        expect(record).not.toHaveProperty('writeKey')
      }
    })

    it('has its times in one form, and as it came in originalTimestamp', () => {
      for (const [record, { timestamp, originalTimestamp, sentAt }] of pairs(lines)) {
        expect(record).toMatchObject({ timestamp, originalTimestamp, sentAt })
        expect(record['receivedAt']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      }
    })

    it.each<[string, CollectorOptions]>([
      ['truncates IP addresses', { source: { ip: 'truncate' } }],
      [
        'has a transform that adds a member',
        { destination: { transform: (event) => ({ ...event, extra: true }) } },
      ],
    ])('keeps its digits where the source %s', async (_name, options) => {
      for (const [record, { properties, traits, context }] of pairs(await deliverAgain(sent, options))) {
        const { ip, ...rest } = context as Digits
        expect(record['properties']).toEqual(properties)
        expect(record['traits']).toEqual(traits)
        expect(record['context']).toMatchObject(rest)
      }
    })
  })

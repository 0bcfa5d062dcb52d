import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { build } from 'esbuild'
import { createLog, type LogFormat, type LogLevel } from '../../../server/cli/log.js'
import type { RequestEntry } from '../../../server/http/request-entry.js'
import { FakeClock } from '../../fake-clock.js'

const TIME = '2026-01-01T00:00:00.000Z'

const ENTRY: RequestEntry = {
  requestId: 'r-1',
  method: 'POST',
  endpoint: 'batch',
  status: 429,
  code: 'rate_limited',
  durationMs: 12,
  source: 'web shop',
  events: 3,
}

/** What readers take for an end of line, and what a terminal obeys. */
const HOSTILE = 'a\nb\r\nc\u001b[2J\u0000\u007f\u0085\u2028\u2029\u202e"\\'

function harness(format: LogFormat, level: LogLevel = 'debug') {
  const lines: string[] = []
  const log = createLog({ format, level, write: (line) => lines.push(line), clock: new FakeClock() })
  return { lines, log }
}

describe('a log in JSON', () => {
  it('is one object a line', () => {
    const { lines, log } = harness('json')
    log.info('up')
    log.warn('100% odd %s %j')
    log.error('down')
    expect(lines).toEqual([
      `{"level":"info","time":"${TIME}","msg":"up"}`,
      `{"level":"warn","time":"${TIME}","msg":"100% odd %s %j"}`,
      `{"level":"error","time":"${TIME}","msg":"down"}`,
    ])
  })

  it('has requests as fields, at debug', () => {
    const { lines, log } = harness('json')
    log.request(ENTRY)
    log.request({ ...ENTRY, code: undefined, source: undefined })
    const { code: _code, source: _source, ...rest } = ENTRY
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { level: 'debug', time: TIME, msg: 'request', ...ENTRY },
      { level: 'debug', time: TIME, msg: 'request', ...rest },
    ])
  })

  it('keeps a hostile message whole, in one line that no reader splits', () => {
    const { lines, log } = harness('json')
    log.error(HOSTILE)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[\x20-\x7e]*$/)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: HOSTILE })
  })

  it('hides what should not have come so far', () => {
    const { lines, log } = harness('json')
    const secrets = { writeKey: 'wk-secret', authorization: 'wk-secret', externalId: 'wk-secret' }
    const nested = { ...secrets, secretId: 'wk-secret', credentials: { accessKeyId: 'wk-secret' } }
    log.request({ ...ENTRY, ...secrets, headers: secrets, deep: { deeper: nested } } as RequestEntry)
    expect(lines).toHaveLength(1)
    expect(lines[0]).not.toContain('wk-secret')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...ENTRY, headers: { writeKey: '[Redacted]' } })
  })
})

describe('a log in text', () => {
  it('is a line for people', () => {
    const { lines, log } = harness('text')
    log.info('up')
    log.warn('100% odd %s')
    log.error('down')
    log.request(ENTRY)
    expect(lines).toEqual([
      `${TIME} INFO up`,
      `${TIME} WARN 100% odd %s`,
      `${TIME} ERROR down`,
      `${TIME} DEBUG request requestId=r-1 method=POST endpoint=batch status=429 code=rate_limited durationMs=12 source="web shop" events=3`,
    ])
  })

  it('lets no message make a line of its own', () => {
    const { lines, log } = harness('text')
    log.error(`${HOSTILE}\n${TIME} INFO forged`)
    log.request({ ...ENTRY, source: `x\n${TIME} INFO forged` })
    expect(lines).toEqual([
      `${TIME} ERROR a\\u000ab\\u000d\\u000ac\\u001b[2J\\u0000\\u007f\\u0085\\u2028\\u2029\\u202e"\\\\u000a${TIME} INFO forged`,
      expect.stringMatching(/^\S+ DEBUG request .* source="x\\n2026-\S+ INFO forged" events=3$/),
    ])
  })
})

describe('a log', () => {
  it.each<[LogLevel, string[]]>([
    ['debug', ['INFO', 'WARN', 'ERROR', 'DEBUG']],
    ['info', ['INFO', 'WARN', 'ERROR']],
    ['warn', ['WARN', 'ERROR']],
    ['error', ['ERROR']],
    ['silent', []],
  ])('of level %s has %j', (level, written) => {
    const { lines, log } = harness('text', level)
    log.info('i')
    log.warn('w')
    log.error('e')
    log.request(ENTRY)
    expect(lines.map((line) => line.split(' ')[1])).toEqual(written)
  })

  it('never throws, though nobody reads it', () => {
    const written: string[] = []
    const write = (line: string) => {
      written.push(line)
      throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    }
    const log = createLog({ format: 'json', level: 'debug', write })
    log.info('1')
    log.error('2')
    log.request(ENTRY)
    expect(written).toHaveLength(3)
  })

  it('loses nothing where the process exits at once', async () => {
    // In a process of its own, where Node itself resolves the CommonJS of pino: Jest has a loader of its own.
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('../../../server/cli/log.ts', import.meta.url))],
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      write: false,
    })
    const program = `${outputFiles[0]?.text}
      const write = (line) => process.stderr.write(line + '\\n')
      const log = createLog({ format: 'json', level: 'info', write })
      for (let i = 0; i < 100; i++) log.info('line ' + i)
      process.exit(3)
    `
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    expect(status).toBe(3)
    expect(stderr.trimEnd().split('\n')).toHaveLength(100)
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ msg: 'line 99' })
  })
})

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { startTestAws, type TestAws } from '../../integration/aws.js'
import { event, folder, letter, ndjson } from '../replay/harness.js'
import { Cli, cli } from './spawn-cli.js'

const ENV = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'any' }

let test: TestAws

beforeEach(async () => {
  test = await startTestAws()
})

afterEach(() => test.close())

/** A folder with a config file, whose write key is not set, and dead letters. */
function withLetters(letters: readonly unknown[], more = ''): string {
  const cwd = folder({ 'dead-letters/2026-01-03.ndjson': ndjson(letters) })
  const config = `
sources:
  - id: src_web
    name: Website
    writeKey: \${WEB_WRITE_KEY}
    destination:
      region: eu-west-1
      endpoint: ${test.aws.endpoint}
      mappedStreams: { '*': everything, Page: pages }
${more}`
  writeFileSync(join(cwd, 'analytics-firehose.yaml'), config)
  return cwd
}

const taken = () => [...test.taken.values()].map(({ stream, text }) => [stream, JSON.parse(text).messageId])
const letters = (count: number) => Array.from({ length: count }, (_, i) => letter(i))

describe('analytics-firehose replay', () => {
  it('sends the dead letters that the config file names, and sums up', async () => {
    const cwd = withLetters([
      letter(0),
      letter(1, { data: event(1, { event: 'Page' }) }),
      letter(2, { source: null, code: 'ERR_UNKNOWN_WRITE_KEY' }),
    ])
    expect(await cli(['replay'], { cwd, env: ENV })).toEqual({
      code: 0,
      stdout: [
        'Read: 3 from 1 file(s)',
        'Sent: 2',
        'Delivered: 2',
        'Skipped: 1 (1 unknown write key)',
        'Failed: 0',
        '',
      ].join('\n'),
      stderr: 'All that was selected has arrived. The next replay sends it again\n',
    })
    expect(taken().sort()).toEqual([
      ['everything', 'm0'],
      ['everything', 'm1'],
      ['pages', 'm1'],
    ])
  })

  it('takes all its flags', async () => {
    const cwd = withLetters(letters(1))
    writeFileSync(
      join(cwd, 'events'),
      ndjson([
        event(1, { receivedAt: '2026-01-01T23:59:59.999Z' }),
        event(2, { receivedAt: '2026-01-02T00:00:00Z', projectId: 'src_gone' }),
        event(3, { receivedAt: '2026-01-02T00:00:00Z', event: 'Page' }),
        event(4, { receivedAt: '2026-01-02T11:59:59Z', event: 'Page' }),
        event(5, { receivedAt: '2026-01-02T12:00:00Z', event: 'Page' }),
      ]),
    )
    const span = ['--since', '2026-01-02', '--until', '2026-01-02T12:00:00Z']
    const where = ['--from', 'events', '--stream', 'pages', '--to', 'elsewhere', '--source', 'src_web']
    const dry = await cli(['replay', ...where, ...span, '--dry-run'], { cwd })
    expect([dry.code, dry.stdout]).toEqual([
      0,
      [
        'Read: 5 from 1 file(s)',
        'Would be sent: 2',
        '  Website → elsewhere: 2',
        'Skipped: 3 (2 outside --since and --until, 1 for another stream)',
        'Failed: 0',
        '',
      ].join('\n'),
    ])
    const { code } = await cli(['replay', ...where, ...span, '--rate', '100'], { cwd, env: ENV })
    expect(code).toBe(0)
    expect(taken()).toEqual([
      ['elsewhere', 'm3'],
      ['elsewhere', 'm4'],
    ])
  })

  it('ends with 1 where an event did not arrive, and says no ID', async () => {
    const cwd = withLetters([letter(0), letter(1, { source: 'src_gone' }), '{"messageId":'])
    const { code, stdout, stderr } = await cli(['replay'], { cwd, env: ENV })
    expect(code).toBe(1)
    expect(stdout).toContain('Failed: 2 (1 source not in the config file, 1 malformed)')
    expect(stderr).toContain(
      'WARN 2026-01-03.ndjson, line 3: malformed, as it is no JSON object; give one event a line\n',
    )
    expect(stderr).toMatch(
      /^error: 2 did not arrive; mend what is told above, then the same command goes on/m,
    )
    expect(stdout + stderr).not.toContain('src_')
  })

  it('ends with 130 at SIGINT, and the next run sends the rest', async () => {
    const cwd = withLetters(letters(60))
    const first = new Cli(['replay', '--rate', '20'], { cwd, env: ENV })
    while (test.taken.size === 0) await new Promise(setImmediate)
    first.child.kill('SIGINT')
    const { code, stderr } = await first.ended()
    expect([code, stderr]).toEqual([
      130,
      expect.stringMatching(/error: interrupted; the same command goes on with what has not arrived\n$/),
    ])
    const sent = test.taken.size
    expect(sent).toBeLessThan(60)
    expect(readdirSync(join(cwd, 'dead-letters'))).toHaveLength(2)
    const { stdout } = await cli(['replay'], { cwd, env: ENV })
    expect(stdout).toContain(`Delivered: ${60 - sent}\n`)
    expect(test.taken.size).toBe(60)
    expect(readdirSync(join(cwd, 'dead-letters'))).toEqual(['2026-01-03.ndjson'])
  })

  it('names a pipe that is to be read, and does not wait for it', async () => {
    const cwd = withLetters(letters(1))
    execFileSync('mkfifo', [join(cwd, 'pipe')])
    expect(await cli(['replay', '--from', 'pipe'], { cwd, env: ENV })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: --from: pipe cannot be read: pipe is a pipe and no file\n',
    })
  })

  it('names what is no file in a folder, and sends the rest', async () => {
    const cwd = withLetters(letters(2))
    execFileSync('mkfifo', [join(cwd, 'dead-letters', 'pipe')])
    symlinkSync('missing', join(cwd, 'dead-letters', 'dangling'))
    const { code, stderr } = await cli(['replay'], { cwd, env: ENV })
    expect(code).toBe(0)
    expect(stderr).toContain('WARN dangling: passed over, as it is a link to nothing\n')
    expect(stderr).toContain('WARN pipe: passed over, as it is a pipe\n')
    expect(taken()).toHaveLength(2)
  })

  it('says of a dry run what could not be sent, and sends nothing', async () => {
    const { code, stderr } = await cli(['replay', '--dry-run'], { cwd: withLetters([letter(0), '[]']) })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: 1 could not be sent, for what is told above$/m),
    ])
    expect(taken()).toEqual([])
  })

  it('refuses a second run of the same while one is at work, and after it was killed goes on', async () => {
    const cwd = withLetters(letters(60))
    const first = new Cli(['replay', '--rate', '1'], { cwd, env: ENV })
    while (test.taken.size === 0) await new Promise(setImmediate)
    const second = await cli(['replay'], { cwd, env: ENV })
    expect([second.code, second.stdout]).toEqual([1, ''])
    expect(second.stderr).toMatch(/^error: the same replay is under way already; /)
    expect((await cli(['replay', '--dry-run'], { cwd })).code).toBe(0)
    first.child.kill('SIGKILL')
    await first.ended()
    const { code, stdout, stderr } = await cli(['replay'], { cwd, env: ENV })
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^Delivered: [1-9]\d*$/m)])
    expect(stderr).toBe('All has arrived. Remove these files, or the next replay sends them again\n')
    expect(new Set(taken().map(([, id]) => id)).size).toBe(60)
    expect(readdirSync(join(cwd, 'dead-letters'))).toEqual(['2026-01-03.ndjson'])
  })

  it('sends no spill that a process serves, and says of another to remove it afterwards', async () => {
    const cwd = withLetters([])
    const file = 'spill/everything.0123456789abcdef.20260102T030405678Z.1.fedcba9876543210.ndjson'
    mkdirSync(join(cwd, 'spill/.instances'), { recursive: true })
    writeFileSync(join(cwd, file), ndjson([event(1)]))
    const beat = join(cwd, 'spill/.instances/0123456789abcdef')
    writeFileSync(beat, '')
    const served = await cli(['replay', '--from', 'spill'], { cwd, env: ENV })
    expect([served.code, served.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: --from: spill is the spill of a process that runs/),
    ])
    expect(taken()).toEqual([])
    utimesSync(beat, 0, 0)
    const { code, stderr } = await cli(['replay', '--from', 'spill'], { cwd, env: ENV })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^All has arrived\. Remove these files/)])
    expect(taken()).toEqual([['everything', 'm1']])
  })

  it.each([
    [['--since', '2026-1-1'], 2, /Give a time such as/],
    [['--since', '2026-13-01'], 2, /Give a time such as/],
    [['--until', '2026-01-02T03:04:05'], 2, /Give a time such as/],
    [['--until', '2026-02-30'], 2, /Give a time such as/],
    [
      ['--since', '2026-01-02', '--until', '2026-01-02'],
      1,
      /^error: --until: is not after --since, so nothing is between them\n$/,
    ],
    [['--rate', '0'], 2, /Use a whole number from 1 to 999999/],
    [['--to', 'a/b'], 2, /Give the name of a delivery stream/],
    [
      ['--source', 'src_nobody'],
      1,
      /^error: --source: no source of the config file has this ID or name; there is Website\n$/,
    ],
    [
      ['--config', 'no-letters.yaml'],
      1,
      /^error: deadLetters: letters cannot be read: .*, so there are no dead letters; name other files with --from\n$/,
    ],
    [['--from', 'nowhere'], 1, /^error: --from: nowhere cannot be read: there is no such file or folder\n$/],
  ])('tells what is wrong: %j', async (args, expected, message) => {
    const cwd = withLetters(letters(1))
    writeFileSync(
      join(cwd, 'no-letters.yaml'),
      `deadLetters: letters\nsources: [{ id: src_a, writeKey: k, destination: { mappedStreams: { '*': everything } } }]`,
    )
    const { code, stdout, stderr } = await cli(['replay', ...args], { cwd })
    expect([code, stdout]).toEqual([expected, ''])
    expect(stderr).toMatch(message)
    expect(existsSync('nowhere')).toBe(false)
  })
})

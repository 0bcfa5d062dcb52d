import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { basic } from '../proxy-harness.js'
import { tempDir } from '../temp-dir.js'
import { Cli } from './spawn-cli.js'

/** All records of a stream in a local AWS's folder. */
function records(dir: string, stream: string): Record<string, unknown>[] {
  const files = readdirSync(join(dir, stream), { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile())
    .flatMap((file) => readFileSync(join(file.parentPath, file.name), 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line))
}

const send = (url: string, path: string, writeKey: string, body: object) =>
  fetch(url + path, {
    method: 'POST',
    headers: { authorization: basic(writeKey) },
    body: JSON.stringify(body),
  })

describe('serve --local-aws', () => {
  it('delivers to the demo streams, and closes at SIGTERM', async () => {
    const cwd = tempDir()
    const run = new Cli(['serve', '--local-aws', 'out', '--port', '0'], { cwd })
    const url = await run.saw(/^Listening on (.*)$/m)
    const writeKey = await run.saw(/write key (\S+)$/m)
    await run.saw(/Stop with/)
    expect(run.stdout).toContain(`curl ${url}/v1/track -u ${writeKey}: -d '{"event":"User Registered"`)
    expect(run.stdout).toContain('Sources: Demo\n')
    expect(await (await fetch(await run.saw(/^ {2}(.*\/snippet\/.*)$/m))).text()).toMatch(/^<script>/)
    expect(run.stdout).toContain(`Records land in: ${join(cwd, 'out')}`)
    expect(run.stdout).toContain('cat out/everything/*/*/*/*/*')

    const batch = [
      { type: 'page', userId: 'u2' },
      { type: 'nothing', userId: 'u3' },
    ]
    const answers = [
      await send(url, '/v1/track', writeKey, { event: 'User Registered', userId: 'u1' }),
      await send(url, '/v1/batch', writeKey, { batch }),
      await send(url, '/v1/track', 'wrong', { event: 'User Registered', userId: 'u1' }),
      // As an SDK with a bare host has it.
      await send(url, '/b', writeKey, { batch: [{ type: 'identify', userId: 'u4' }] }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 200])

    run.child.kill('SIGTERM')
    const { code, stdout, stderr } = await run.ended()
    expect(code).toBe(0)
    expect(stdout).toMatch(/SIGTERM: .*\nClosed: 5 records delivered, 0 spilled, 0 failed\n$/)
    const logged = stderr.trimEnd().split('\n')
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'warn',
        time: expect.any(String),
        msg: expect.stringMatching(/^ERR_INVALID_EVENT: gave up 1 event\(s\) of Demo: /),
      },
      {
        level: 'warn',
        time: expect.any(String),
        msg: expect.stringMatching(/^Refused 1 request\(s\) with 401 invalid_write_key: /),
      },
    ])
    const out = join(cwd, 'out')
    expect(records(out, 'new_users')).toMatchObject([
      { type: 'track', event: 'User Registered', userId: 'u1' },
    ])
    expect(records(out, 'page_views')).toMatchObject([{ type: 'page', userId: 'u2' }])
    expect(records(out, 'everything')).toHaveLength(3)
    expect(records(cwd, 'dead-letters')).toMatchObject([
      { code: 'ERR_INVALID_EVENT', data: { userId: 'u3' } },
    ])
  })

  it.each([
    ['redact.mjs', 'export default ({ traits, ...event }) => (event.userId === "drop" ? null : event)\n'],
    ['redact.cjs', 'module.exports = ({ traits, ...event }) => (event.userId === "drop" ? null : event)\n'],
  ])(
    'has each event changed by the module that the config file names as transform: %s',
    async (name, code) => {
      const cwd = tempDir()
      const destination = { mappedStreams: { '*': 'all' }, transform: `./${name}` }
      const config = { sources: [{ id: 'src_web', writeKey: 'k', destination }] }
      writeFileSync(join(cwd, 'analytics-firehose.yaml'), JSON.stringify(config))
      writeFileSync(join(cwd, name), code)
      const args = ['serve', '--local-aws', 'out', '--port', '0', '--workers', '2']
      const run = new Cli(args, { cwd, nodeWarnings: true })
      const url = await run.saw(/^Listening on (.*)$/m)
      const identify = (userId: string) =>
        send(url, '/v1/identify', 'k', { userId, traits: { email: 'e@x.y' } })
      expect([(await identify('u1')).status, (await identify('drop')).status]).toEqual([200, 200])
      run.child.kill('SIGTERM')
      const { code: exitCode, stderr } = await run.ended()
      expect(exitCode).toBe(0)
      expect(stderr).not.toContain('ExperimentalWarning')
      expect(records(join(cwd, 'out'), 'all')).toEqual([
        expect.objectContaining({ type: 'identify', userId: 'u1' }),
      ])
      expect(records(join(cwd, 'out'), 'all')[0]).not.toHaveProperty('traits')
    },
  )

  it('points the destinations of a config file at it; flags win over the file, the file over the environment', async () => {
    const cwd = tempDir()
    const config = {
      listen: { host: 'localhost', port: 1 },
      deadLetters: 'letters',
      sources: ['a', 'b'].map((it) => ({
        id: `src_${it}`,
        writeKey: `key-${it}`,
        destination: {
          region: 'eu-west-1',
          mappedStreams: { '*': it },
          ...(it === 'a' ? { roleAddress: 'arn:aws:iam::123456789012:role/segment-firehose' } : {}),
        },
      })),
    }
    writeFileSync(join(cwd, 'analytics-firehose.yaml'), JSON.stringify(config))
    const args = ['serve', '--local-aws', '--port', '0']
    const run = new Cli(args, { cwd, env: { PORT: '2', HOST: '192.0.2.1' } })
    const url = await run.saw(/^Listening on (http:\/\/localhost:\d+)$/m)
    expect((await send(url, '/v1/page', 'key-a', { userId: 'u1' })).status).toBe(200)
    expect((await send(url, '/v1/page', 'key-b', { userId: 'u2' })).status).toBe(200)
    run.child.kill('SIGINT')
    expect((await run.ended()).code).toBe(0)
    expect(records(join(cwd, 'local-aws-data'), 'a')).toMatchObject([{ userId: 'u1' }])
    expect(records(join(cwd, 'local-aws-data'), 'b')).toMatchObject([{ userId: 'u2' }])
    expect(run.stdout).not.toMatch(/key-|src_/)
  })

  it('loads its config file again when it changes or SIGHUP asks, and keeps the old one where the new one is wrong', async () => {
    const cwd = tempDir()
    const file = join(cwd, 'analytics-firehose.yaml')
    const write = (writeKey: string) =>
      writeFileSync(
        file,
        `sources: [{ id: src_a, writeKey: ${writeKey}, destination: { mappedStreams: { '*': a } } }]`,
      )
    write('first-key')
    const run = new Cli(['serve', '--local-aws', '--port', '0', '--log-level', 'debug'], { cwd })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Records land in/)
    const status = async (key: string) => (await send(url, '/v1/page', key, { userId: 'u1' })).status
    expect([await status('first-key'), await status('second-key')]).toEqual([200, 401])
    write('second-key')
    await run.logged(/loaded again, 1 source/)
    expect([await status('first-key'), await status('second-key')]).toEqual([401, 200])
    write('')
    await run.logged(/not loaded; what was loaded before stays/)
    expect(await status('second-key')).toBe(200)
    write('third-key')
    run.child.kill('SIGHUP')
    await run.logged(/loaded again(.|\n)*loaded again/)
    expect(await status('third-key')).toBe(200)
    run.child.kill('SIGTERM')
    const { code, stdout, stderr } = await run.ended()
    expect(code).toBe(0)
    expect(stdout + stderr).not.toMatch(/-key/)
    const requests = stderr.split('\n').filter((line) => line.includes('"endpoint":"event"'))
    expect(JSON.parse(requests[0] ?? '')).toMatchObject({
      level: 'debug',
      requestId: expect.any(String),
      method: 'POST',
      status: 200,
      source: 'sources[0]',
      events: 1,
    })
  })

  it('listens where the environment says, if nothing else does', async () => {
    const run = new Cli(['serve', '--local-aws'], { cwd: tempDir(), env: { PORT: '0', HOST: 'localhost' } })
    expect(await run.saw(/^Listening on (.*):\d+$/m)).toBe('http://localhost')
  })

  it('exits at once at the second signal', async () => {
    const cwd = tempDir()
    const run = new Cli(['serve', '--local-aws', '--port', '0'], { cwd })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    // A request that never ends, so that closing takes its time.
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('{')),
    })
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    const cut = fetch(`${url}/v1/batch`, init).catch(() => 'cut')
    await send(url, '/v1/page', 'demo-write-key', { userId: 'u1' })
    run.child.kill('SIGTERM')
    await run.saw(/SIGTERM: /)
    run.child.kill('SIGTERM')
    expect((await run.ended()).code).toBe(143)
    expect(await cut).toBe('cut')
  })

  it('goes on when nobody reads its output', async () => {
    const run = new Cli(['serve', '--local-aws', '--port', '0'], { cwd: tempDir() })
    const url = await run.saw(/^Listening on (.*)$/m)
    run.child.stderr.destroy()
    for (let i = 0; i < 3; i++) {
      const answer = await send(url, '/v1/batch', 'demo-write-key', { batch: [null] })
      expect(answer.status).toBe(200)
    }
  })
})

describe('the spill that serve names', () => {
  const served = (cwd: string, spill: string, endpoint: string) =>
    writeFileSync(
      join(cwd, 'analytics-firehose.yaml'),
      `sources: [{ id: src_a, writeKey: k, destination: { endpoint: '${endpoint}', mappedStreams: { '*': a } } }]
spill: ${spill}`,
    )
  /** Of no use any more: nothing listens there. */
  const NOWHERE = 'http://127.0.0.1:1'
  const ENV = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'any' }

  it('is a directory, with what it holds from before', async () => {
    const cwd = tempDir()
    served(cwd, './kept', NOWHERE)
    const run = new Cli(['serve', '--port', '0'], { cwd, env: ENV })
    const url = await run.saw(/^Listening on (.*)$/m)
    expect(await run.saw(/^Spill, for what cannot be delivered in time: (.*)$/m)).toBe(join(cwd, 'kept'))
    expect((await send(url, '/v1/page', 'k', { userId: 'u1' })).status).toBe(200)
    run.child.kill('SIGTERM')
    expect((await run.ended()).stdout).toContain('1 spilled')
    const next = new Cli(['serve', '--port', '0'], { cwd, env: ENV })
    expect(await next.saw(/^Spill, for what cannot be delivered in time: (.*)$/m)).toBe(
      `${join(cwd, 'kept')}, holds 1 record(s) in 1 file(s) to be sent`,
    )
    // It writes into what is removed after the test.
    next.child.kill('SIGKILL')
    await next.ended()
  })

  it('is a queue of the local AWS where there is one, used with its credentials', async () => {
    const cwd = tempDir()
    served(cwd, 'https://sqs.eu-west-1.amazonaws.com/111122223333/my-spill', NOWHERE)
    const env = { AWS_PROFILE: 'of-this-machine', AWS_EC2_METADATA_DISABLED: 'true' }
    const run = new Cli(['serve', '--local-aws', '--port', '0'], { cwd, env })
    const url = await run.saw(/^Spill, .*: the SQS queue (http:\S+\/my-spill)$/m)
    expect(await run.saw(/^Local AWS \(STS, Firehose and SQS\): (.*)$/m)).toBe(new URL(url).origin)
    const proxy = await run.saw(/^Listening on (.*)$/m)
    expect((await send(proxy, '/v1/page', 'k', { userId: 'u1' })).status).toBe(200)
    run.child.kill('SIGTERM')
    const { code, stderr } = await run.ended()
    expect([code, stderr]).toEqual([0, ''])
  })

  it('is a queue, what it holds is logged', async () => {
    const aws = new Cli(['local-aws', '--port', '0', '--queue', 'other', '--queue', 'spill'], {
      cwd: tempDir(),
    })
    const queue = await aws.saw(/^Queue: (\S+\/spill)$/m)
    const cwd = tempDir()
    served(cwd, queue, NOWHERE)
    const run = new Cli(['serve', '--port', '0'], { cwd, env: ENV })
    const sent = send(await run.saw(/^Listening on (.*)$/m), '/v1/page', 'k', { userId: 'u1' })
    expect((await sent).status).toBe(200)
    run.child.kill('SIGTERM')
    await run.ended()
    const next = new Cli(['serve', '--port', '0'], { cwd, env: ENV })
    await next.logged(/The spill queue holds about 1 message\(s\) to be sent/)
  }, 20_000)
})

it('local-aws takes records until a signal', async () => {
  const cwd = tempDir()
  const run = new Cli(['local-aws', '--port', '0', '--dir', 'out'], { cwd })
  const endpoint = await run.saw(/^Local AWS \(STS, Firehose and SQS\): (http:\/\/127\.0\.0\.1:\d+)$/m)
  expect(await run.saw(/^Records land in: (.*)$/m)).toBe(join(cwd, 'out'))
  expect((await fetch(endpoint)).status).toBeLessThan(500)
  run.child.kill('SIGTERM')
  expect((await run.ended()).code).toBe(0)
})

import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { basic, listen } from '../proxy-harness.js'
import { tempDir } from '../temp-dir.js'
import { Cli, cli } from './spawn-cli.js'

const TWO = ['--workers', '2', '--port', '0']

/** On a connection of its own, as only those are shared out. */
function send(url: string, writeKey: string, userId: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: basic(writeKey) }
    const req = request(
      `${url}/v1/page`,
      { method: 'POST', headers, agent: false },
      (res: IncomingMessage) => {
        res.resume().once('end', () => resolve(res.statusCode ?? 0))
      },
    )
    req.once('error', reject).end(JSON.stringify({ userId, messageId: userId }))
  })
}

async function sendMany(url: string, writeKey: string, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => send(url, writeKey, `u${i}`)))
}

/** The processes that answered so far, by their log at level `debug`. */
function answering(run: Cli): Set<number> {
  const lines = run.stderr.split('\n').filter((line) => line.includes('"msg":"request"'))
  return new Set(lines.map((line) => (JSON.parse(line) as { pid: number }).pid))
}

async function untilAnsweredBy(run: Cli, count: number): Promise<readonly number[]> {
  while (answering(run).size < count) await once(run.child.stderr, 'data')
  return [...answering(run)]
}

function userIds(dir: string, stream: string): Set<unknown> {
  const files = readdirSync(join(dir, stream), { recursive: true, withFileTypes: true })
  const lines = files
    .filter((file) => file.isFile())
    .flatMap((file) => readFileSync(join(file.parentPath, file.name), 'utf8').trimEnd().split('\n'))
  return new Set(lines.map((line) => (JSON.parse(line) as { userId: unknown }).userId))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function withConfig(writeKey: string, extra = ''): string {
  const cwd = tempDir()
  configure(cwd, writeKey, extra)
  return cwd
}

function configure(cwd: string, writeKey: string, extra = ''): void {
  const source = `{ id: src_a, writeKey: ${writeKey}, destination: { mappedStreams: { '*': a } } }`
  writeFileSync(join(cwd, 'analytics-firehose.yaml'), `sources: [${source}]\n${extra}`)
}

describe('serve --workers', () => {
  it('takes headers of the size that the config file allows, or the flag', async () => {
    const cwd = withConfig('k', 'listen: { maxHeaderBytes: 40000 }')
    const send = async (flags: readonly string[]) => {
      const run = new Cli(['serve', '--local-aws', ...TWO, ...flags], { cwd })
      const url = await run.saw(/^Listening on (.*)$/m)
      const headers = { authorization: basic('k'), cookie: 'c'.repeat(30_000) }
      return (await fetch(`${url}/v1/m`, { method: 'POST', headers })).status
    }
    expect(await send([])).toBe(200)
    expect(await send(['--max-header-bytes', '20000'])).toBe(431)
  })

  it.each(['0', '-1', '1.5', 'abc', '257', ''])('does not take %j', async (count) => {
    const { code, stdout, stderr } = await cli(['serve', '--workers', count], { cwd: tempDir() })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^error: .*--workers.* Use a whole number from 1 to 256, or auto .*\n$/)
  })

  it('is one process where that is one', async () => {
    const run = new Cli(['serve', '--local-aws', '--port', '0', '--workers', '1', '--log-level', 'debug'], {
      cwd: tempDir(),
    })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    expect(await send(url, 'demo-write-key', 'u1')).toBe(200)
    await run.logged(/"msg":"request"/)
    expect(run.stdout).not.toContain('Workers')
    expect(run.stderr).not.toContain('"pid"')
  })

  it('shares the port, says so once, and sums up what all delivered', async () => {
    const cwd = tempDir()
    const run = new Cli(['serve', '--local-aws', 'out', ...TWO, '--log-level', 'debug'], { cwd })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    expect(await sendMany(url, 'demo-write-key', 8)).toEqual(Array(8).fill(200))
    const pids = await untilAnsweredBy(run, 2)
    expect(pids).not.toContain(run.child.pid)
    run.child.kill('SIGTERM')
    const { code, stdout } = await run.ended()
    expect(code).toBe(0)
    expect(stdout.match(/Listening on/g)).toHaveLength(1)
    expect(stdout).toContain('\nWorkers: 2\n')
    // Each event goes to two streams.
    expect(stdout).toMatch(/\nClosed: 16 records delivered, 0 spilled, 0 failed\n$/)
    expect(userIds(join(cwd, 'out'), 'everything').size).toBe(8)
    expect(pids.filter(isAlive)).toEqual([])
  })

  it('delivers an event once that comes again, at whichever worker, and after one ended', async () => {
    const run = new Cli(['serve', '--local-aws', ...TWO, '--log-level', 'debug'], { cwd: tempDir() })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    const sendUntilAnsweredBy = async (count: number) => {
      // One that closes answers 503.
      while (answering(run).size < count)
        expect([200, 503]).toContain(await send(url, 'demo-write-key', 'u1'))
      return [...answering(run)]
    }
    const [first = 0] = await sendUntilAnsweredBy(2)
    process.kill(first, 'SIGTERM')
    await run.logged(new RegExp(`Worker process ${first} ended with 0; another takes its place`))
    await sendUntilAnsweredBy(3)
    run.child.kill('SIGTERM')
    const { code, stdout } = await run.ended()
    expect(code).toBe(0)
    expect(stdout).toMatch(/\nClosed: 2 records delivered, 0 spilled, 0 failed\n$/)
  })

  it('loses nothing that was acknowledged, when a worker dies and when it stops under load', async () => {
    const cwd = tempDir()
    const run = new Cli(['serve', '--local-aws', 'out', ...TWO, '--log-level', 'debug'], { cwd })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    const acknowledged: string[] = []
    const others = new Set<number>()
    const sendUntilRefused = async (sender: number) => {
      for (let i = 0; ; i++) {
        const userId = `u${sender}-${i}`
        try {
          const status = await send(url, 'demo-write-key', userId)
          if (status === 200) acknowledged.push(userId)
          else others.add(status)
        } catch (error) {
          // Whoever was connected to the one that died is cut off.
          if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return
        }
      }
    }
    const senders = Promise.all([1, 2, 3, 4].map(sendUntilRefused))
    const [victim = 0] = await untilAnsweredBy(run, 2)
    process.kill(victim, 'SIGKILL')
    await run.logged(new RegExp(`Worker process ${victim} was ended by SIGKILL; another takes its place`))
    await untilAnsweredBy(run, 3)
    run.child.kill('SIGTERM')
    await senders
    expect((await run.ended()).code).toBe(0)
    const arrived = userIds(join(cwd, 'out'), 'everything')
    expect(acknowledged.length).toBeGreaterThan(10)
    expect(acknowledged.filter((userId) => !arrived.has(userId))).toEqual([])
    expect([...others].filter((status) => status !== 503)).toEqual([])
  })

  it('loads the config file again in all of them, and says so once', async () => {
    const cwd = withConfig('first-key')
    const run = new Cli(['serve', '--local-aws', ...TWO, '--log-level', 'debug'], { cwd })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Records land in/)
    expect(await sendMany(url, 'first-key', 4)).toEqual([200, 200, 200, 200])
    configure(cwd, 'second-key', 'maxClients: 7')
    await run.logged(/loaded again, 1 source/)
    expect(await sendMany(url, 'first-key', 4)).toEqual([401, 401, 401, 401])
    run.child.kill('SIGHUP')
    await run.logged(/loaded again(.|\n)*loaded again/)
    expect(await sendMany(url, 'second-key', 4)).toEqual([200, 200, 200, 200])
    configure(cwd, '')
    run.child.kill('SIGHUP')
    await run.logged(/not loaded; what was loaded before stays/)
    const [victim = 0] = await untilAnsweredBy(run, 2)
    process.kill(victim, 'SIGKILL')
    await run.logged(/another takes its place/)
    // What the file holds now is no reason not to replace it.
    while (answering(run).size < 3) expect(await send(url, 'second-key', 'u9')).toBe(200)
    run.child.kill('SIGTERM')
    const { code, stderr } = await run.ended()
    expect(code).toBe(0)
    expect(stderr.match(/loaded again/g)).toHaveLength(2)
    expect(stderr.match(/maxClients: has changed/g)).toHaveLength(2)
    expect(stderr).not.toMatch(/-key/)
  })

  it('ends with the process that started it, in order, and leaves the port', async () => {
    const cwd = tempDir()
    const run = new Cli(['serve', '--local-aws', ...TWO, '--log-level', 'debug'], { cwd })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    await sendMany(url, 'demo-write-key', 4)
    const pids = await untilAnsweredBy(run, 2)
    expect(pids.map(isAlive)).toEqual([true, true])
    const headers = { authorization: basic('demo-write-key'), expect: '100-continue' }
    const underWay = request(`${url}/v1/page`, { method: 'POST', headers, agent: false })
    underWay.flushHeaders()
    await once(underWay, 'continue')
    run.child.kill('SIGKILL')
    const answered = once(underWay.end('{"userId":"u9"}'), 'response') as Promise<[IncomingMessage]>
    // From the spill: the local AWS is gone.
    expect((await answered)[0].statusCode).toBe(200)
    expect(readdirSync(join(cwd, 'spill')).filter((name) => !name.startsWith('.'))).toHaveLength(2)
    // Its output is closed when none holds it any more.
    expect((await run.ended()).stderr).toMatch(/the process that started this worker is gone/)
    await expect(send(url, 'demo-write-key', 'u1')).rejects.toThrow(/ECONNREFUSED/)
  })

  it('ends with 1 where a worker ends as soon as it has started, again and again', async () => {
    const cwd = tempDir()
    const preload = `
      import cluster from 'node:cluster'
      import { existsSync } from 'node:fs'
      if (cluster.isWorker && existsSync('broken')) process.exit(7)`
    writeFileSync(join(cwd, 'preload.mjs'), preload)
    const env = { NODE_OPTIONS: '--import=./preload.mjs' }
    const run = new Cli(['serve', '--local-aws', ...TWO, '--log-level', 'debug'], { cwd, env })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    await sendMany(url, 'demo-write-key', 4)
    const [victim = 0] = await untilAnsweredBy(run, 2)
    writeFileSync(join(cwd, 'broken'), '')
    process.kill(victim, 'SIGKILL')
    const { code, stdout, stderr } = await run.ended()
    expect(code).toBe(1)
    expect(stderr).toMatch(/\nerror: Worker process \d+ ended with 7, .*; it is given up\n/)
    expect(stderr.match(/another takes its place/g)).toHaveLength(5)
    // The other has closed in order.
    expect(stdout).toMatch(/\nClosed: \d+ records delivered, 0 spilled, 0 failed\n$/)
  })

  it('exits at once at the second signal, with all workers', async () => {
    const run = new Cli(['serve', '--local-aws', ...TWO], { cwd: tempDir() })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    const endless = request(`${url}/v1/batch`, { method: 'POST' })
    endless.on('error', () => {}).write('{')
    expect(await send(url, 'demo-write-key', 'u1')).toBe(200)
    run.child.kill('SIGTERM')
    await run.saw(/SIGTERM: /)
    const asked = performance.now()
    run.child.kill('SIGTERM')
    expect((await run.ended()).code).toBe(143)
    // In order it would take the 8 s that closing has.
    expect(performance.now() - asked).toBeLessThan(5_000)
  })

  it('says once why it cannot listen', async () => {
    const { port } = new URL(await listen((_req, res) => res.end()))
    const args = ['serve', '--local-aws', '--workers', '2', '--port', port]
    const { code, stdout, stderr } = await cli(args, { cwd: tempDir() })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `error: Cannot listen on 127.0.0.1:${port}: the port is in use; stop what uses it, or choose another with --port\n`,
    )
  })

  it('has a spill queue in the one local AWS, used by all with its credentials', async () => {
    const cwd = withConfig('k', 'spill: https://sqs.eu-west-1.amazonaws.com/111122223333/my-spill')
    const env = { AWS_PROFILE: 'of-this-machine', AWS_EC2_METADATA_DISABLED: 'true' }
    const run = new Cli(['serve', '--local-aws', ...TWO], { cwd, env })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/^Spill, .*: the SQS queue (http:\S+\/my-spill)$/m)
    expect(await sendMany(url, 'k', 4)).toEqual([200, 200, 200, 200])
    run.child.kill('SIGTERM')
    const { code, stderr } = await run.ended()
    expect([code, stderr]).toEqual([0, ''])
  })

  it('is not begun by a worker', async () => {
    const { code, stderr } = await cli(['serve-worker'], { cwd: tempDir() })
    expect([code, stderr]).toEqual([1, 'error: serve-worker is started by `serve --workers`; start that\n'])
  })
})

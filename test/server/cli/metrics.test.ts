import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parseExposition, seriesValue } from '../metrics/parse-exposition.js'
import { basic, listen } from '../proxy-harness.js'
import { tempDir } from '../temp-dir.js'
import { Cli, cli } from './spawn-cli.js'

const ALL_DELIVERED = 'events_total{source="Demo",outcome="delivered"}'

async function started(args: readonly string[], cwd = tempDir()) {
  const run = new Cli(['serve', '--local-aws', '--port', '0', ...args], { cwd })
  const url = await run.saw(/^Listening on (.*)$/m)
  const metrics = await run.saw(/^Metrics: (.*)$/m)
  await run.saw(/^Records land in: /m)
  return { run, url, metrics }
}

async function send(url: string, count: number, writeKey = 'demo-write-key'): Promise<void> {
  for (let i = 0; i < count; i++) {
    const headers = { authorization: basic(writeKey), connection: 'close' }
    const body = JSON.stringify({ userId: 'u1', event: 'User Registered' })
    const res = await fetch(`${url}/v1/track`, { method: 'POST', headers, body })
    expect(res.status).toBe(200)
  }
}

async function scrape(metrics: string): Promise<string> {
  const res = await fetch(metrics)
  expect([res.status, res.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ])
  const text = await res.text()
  parseExposition(text)
  return text
}

/** Asks until the series has this value. */
async function scrapeUntil(metrics: string, series: string, value: number): Promise<string> {
  for (;;) {
    const text = await scrape(metrics)
    if (seriesValue(text, series) === value) return text
  }
}

function config(cwd: string, more: string, name = 'Website'): void {
  const source = `{ id: src_a, name: ${name}, writeKey: first-key, destination: { mappedStreams: { '*': a } } }`
  writeFileSync(join(cwd, 'analytics-firehose.yaml'), `sources: [${source}]\n${more}`)
}

describe('the metrics page of serve', () => {
  it('is not there unless a port is set for it', async () => {
    const run = new Cli(['serve', '--local-aws', '--port', '0'], { cwd: tempDir() })
    const url = await run.saw(/^Listening on (.*)$/m)
    await run.saw(/Stop with/)
    expect(run.stdout).not.toContain('Metrics')
    expect((await fetch(`${url}/metrics`)).status).toBe(404)
  })

  it('tells of one process, and closes with it', async () => {
    const { run, url, metrics } = await started(['--metrics-port', '0'])
    expect(new URL(metrics).hostname).toBe('127.0.0.1')
    await send(url, 2)
    const text = await scrape(metrics)
    expect(seriesValue(text, ALL_DELIVERED)).toBe(2)
    expect(seriesValue(text, 'records_delivered_total{source="Demo",stream="new_users"}')).toBe(2)
    expect(seriesValue(text, 'requests_total{status="200"}')).toBe(2)
    expect(seriesValue(text, 'process_resident_memory_bytes{worker="1"}')).toBeGreaterThan(1_000_000)
    expect(text).not.toMatch(/demo-write-key|src_/)
    expect((await fetch(`${url}/metrics`)).status).toBe(404)
    run.child.kill('SIGTERM')
    expect((await run.ended()).code).toBe(0)
    await expect(fetch(metrics)).rejects.toThrow()
  })

  it('is where the config file says, unless the flag says otherwise; a change takes effect later', async () => {
    const cwd = tempDir()
    config(cwd, 'metrics: { host: localhost, port: 0 }')
    const { run, url, metrics } = await started([], cwd)
    expect(metrics).toMatch(/^http:\/\/localhost:\d+\/metrics$/)
    await send(url, 1, 'first-key')
    config(cwd, 'metrics: { host: 127.0.0.1, port: 1 }', 'Renamed')
    await run.logged(/"msg":"metrics: has changed; that takes effect at the next start"(.|\n)*loaded again/)
    const text = await scrape(metrics)
    expect(seriesValue(text, 'events_total{source="Renamed",outcome="delivered"}')).toBeDefined()
    expect(text).not.toContain('Website')
    const { metrics: other } = await started(['--metrics-port', '0'], cwd)
    expect(other).not.toMatch(/:1\//)
  })

  it('says with one line that its port is in use, and leaves nothing running', async () => {
    const { port } = new URL(await listen((_req, res) => res.end()))
    for (const workers of ['1', '2']) {
      const args = ['serve', '--local-aws', '--port', '0', '--workers', workers, '--metrics-port', port]
      expect(await cli(args, { cwd: tempDir() })).toEqual({
        code: 1,
        stdout: '',
        stderr: `error: Cannot listen on 127.0.0.1:${port}: the port is in use; stop what uses it, or choose another with --metrics-port\n`,
      })
    }
  })

  it('is let go of where the port of the proxy is in use', async () => {
    const { port } = new URL(await listen((_req, res) => res.end()))
    const args = ['serve', '--local-aws', '--port', port, '--metrics-port', '0']
    const { code, stderr } = await cli(args, { cwd: tempDir() })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: Cannot listen on .* with --port\n$/)])
  })
})

describe('the metrics page of several workers', () => {
  const TWO = ['--workers', '2', '--metrics-port', '0']

  it('sums up what all count', async () => {
    const { run, url, metrics } = await started(TWO)
    await send(url, 6)
    const text = await scrape(metrics)
    expect(seriesValue(text, ALL_DELIVERED)).toBe(6)
    expect(seriesValue(text, 'requests_total{status="200"}')).toBe(6)
    expect(seriesValue(text, 'workers')).toBe(2)
    expect(seriesValue(text, 'worker_reports_missing')).toBe(0)
    const memory = parseExposition(text).get('analytics_firehose_process_resident_memory_bytes')?.series
    expect([...(memory?.keys() ?? [])]).toEqual(['{worker="1"}', '{worker="2"}', '{worker="primary"}'])
    run.child.kill('SIGTERM')
    expect((await run.ended()).code).toBe(0)
    await expect(fetch(metrics)).rejects.toThrow()
  })

  it('does not go back when a worker dies, and tells that', async () => {
    const { run, url, metrics } = await started([...TWO, '--log-level', 'debug'])
    await send(url, 6)
    expect(seriesValue(await scrape(metrics), ALL_DELIVERED)).toBe(6)
    process.kill(await someWorker(run), 'SIGKILL')
    await run.logged(/another takes its place/)
    const gone = await scrapeUntil(metrics, 'worker_restarts_total', 1)
    expect(seriesValue(gone, ALL_DELIVERED)).toBe(6)
    const back = await scrapeUntil(metrics, 'worker_reports_missing', 0)
    expect(seriesValue(back, ALL_DELIVERED)).toBe(6)
    await send(url, 4)
    expect(seriesValue(await scrape(metrics), ALL_DELIVERED)).toBe(10)
  })

  it('does not wait for a worker that hangs, and tells that', async () => {
    const { run, url, metrics } = await started([...TWO, '--log-level', 'debug'])
    await send(url, 6)
    const before = await scrape(metrics)
    const worker = await someWorker(run)
    process.kill(worker, 'SIGSTOP')
    try {
      const asked = performance.now()
      const text = await scrape(metrics)
      expect(performance.now() - asked).toBeLessThan(5_000)
      expect(seriesValue(text, 'worker_reports_missing')).toBe(1)
      expect(seriesValue(text, ALL_DELIVERED)).toBe(6)
      const capacity = 'buffer_capacity_bytes'
      expect(seriesValue(text, capacity)).toBe((seriesValue(before, capacity) ?? 0) / 2)
    } finally {
      process.kill(worker, 'SIGCONT')
    }
    await scrapeUntil(metrics, 'worker_reports_missing', 0)
  })
})

/** One that has answered a request, by the log at level `debug`. */
async function someWorker(run: Cli): Promise<number> {
  for (;;) {
    const pid = /"pid":(\d+).*"msg":"request"/.exec(run.stderr)?.[1]
    if (pid !== undefined) return Number(pid)
    await once(run.child.stderr, 'data')
  }
}

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { BOMBS, type Bomb } from './bombs.js'
import { Cli } from './cli/spawn-cli.js'
import { tempDir } from './temp-dir.js'

/** 401 where no event has a known key. */
const ANSWERS = [200, 400, 401, 429, 503]

const CONFIG = `
sources:
  - id: src_bomb
    writeKey: bomb-key
    destination: { region: us-west-2, mappedStreams: { '*': everything } }
`

/** A real server with little memory. */
async function startServe(heapMiB: number) {
  const cwd = tempDir()
  writeFileSync(join(cwd, 'config.yaml'), CONFIG)
  const args = ['serve', '--config', 'config.yaml', '--port', '0', '--local-aws', '--log-level', 'error']
  const cli = new Cli(args, { cwd, env: { NODE_OPTIONS: `--max-old-space-size=${heapMiB}` } })
  const url = await cli.saw(/^Listening on (\S+)$/m)
  return { url, pid: cli.child.pid as number, hasEnded: () => cli.child.exitCode !== null }
}

async function fire(url: string, { body, encoding }: Bomb): Promise<number> {
  const headers = encoding === undefined ? {} : { 'content-encoding': encoding }
  const res = await fetch(`${url}/v1/batch`, { method: 'POST', body: new Uint8Array(body), headers })
  await res.arrayBuffer()
  return res.status
}

async function honest(url: string): Promise<number> {
  const batch = [{ type: 'track', event: 'Honest', userId: 'u1' }]
  const res = await fetch(`${url}/v1/batch`, {
    method: 'POST',
    body: JSON.stringify({ writeKey: 'bomb-key', batch }),
  })
  return res.status
}

function peakMiB(pid: number): number {
  const [, kib = '0'] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kib) / 1024)
}

/** Asks again and again how the server is. Returns the longest time that an answer took, in ms. */
function watch(url: string) {
  let isOver = false
  const looking = (async () => {
    let longest = 0
    while (!isOver) {
      const start = performance.now()
      await fetch(`${url}/healthz`).then((res) => res.arrayBuffer())
      longest = Math.max(longest, performance.now() - start)
    }
    return Math.round(longest)
  })()
  return () => {
    isOver = true
    return looking
  }
}

describe('a server with a heap of 128 MB', () => {
  it('outlives each bomb, answers it, and serves honest senders after it', async () => {
    const { url, pid, hasEnded } = await startServe(128)
    expect(await honest(url)).toBe(200)
    const rows: string[] = []
    for (const bomb of BOMBS) {
      const end = watch(url)
      const status = await fire(url, bomb)
      const held = await end()
      rows.push(`${bomb.name} | ${bomb.body.length} B | ${status} | ${peakMiB(pid)} MiB | ${held} ms`)
      expect([bomb.name, ANSWERS.includes(status)]).toEqual([bomb.name, true])
      expect([bomb.name, hasEnded(), await honest(url)]).toEqual([bomb.name, false, 200])
    }
    if (process.env['SHOW_BOMBS'] !== undefined) console.info(rows.join('\n'))
  }, 120_000)

  it('outlives a dozen of the worst at once, and serves honest senders within seconds after', async () => {
    const { url, hasEnded } = await startServe(128)
    const worst = BOMBS.filter(({ name }) => /nested|keys|million|pretty|10,000 invalid/.test(name))
    const answers = await Promise.all(worst.map((bomb) => fire(url, bomb)))
    for (const status of answers) expect(ANSWERS).toContain(status)
    expect(hasEnded()).toBe(false)
    expect(await honest(url)).toBe(200)
  }, 120_000)
})

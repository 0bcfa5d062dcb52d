import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import { tempDir } from '../temp-dir.js'
import { Cli } from './spawn-cli.js'

/** Enough to start, and too few for the connections of the test. */
const OPEN_FILES = 64

const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** Waits until it has loaded all that it loads, for which it opens files. */
async function whole(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}`
  const headers = { connection: 'close' }
  const body = JSON.stringify({ writeKey: 'demo-write-key', event: 'E', userId: 'u' })
  const delivered = await fetch(`${url}/v1/track`, { method: 'POST', headers, body })
  const healthy = await fetch(`${url}/healthz`, { headers })
  expect([delivered.status, healthy.status]).toEqual([200, 200])
}

describe('analytics-firehose serve with more connections than it may have files open', () => {
  it('logs why connections are cut, and when they no longer are', async () => {
    const serve = new Cli(['serve', '--local-aws', '--port', '0'], { cwd: tempDir(), openFiles: OPEN_FILES })
    const port = Number(await serve.saw(/Listening on http:\/\/127\.0\.0\.1:(\d+)/))
    await whole(port)
    for (let n = 0; n < OPEN_FILES; n++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      sockets.push(socket)
    }
    await serve.logged(/connections can be opened \(EMFILE( of 64)?\).*new connections are cut.*ulimit -n/)
    for (const socket of sockets) socket.destroy()
    await serve.logged(/Files and connections can be opened again/)
    serve.child.kill('SIGTERM')
    expect((await serve.ended()).code).toBe(0)
  })
})

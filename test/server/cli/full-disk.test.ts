import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { tempDir } from '../temp-dir.js'
import { BIN } from './spawn-cli.js'

/** A file that takes nothing, as on a disk that is full. */
function full(): number {
  return openSync('/dev/full', 'w')
}

describe('a disk that is full', () => {
  it('does not end a server whose log is on it', async () => {
    const disk = full()
    const args = [BIN, 'serve', '--local-aws', '--port', '0', '--log-level', 'debug']
    const server = spawn(process.execPath, args, { cwd: tempDir(), stdio: ['ignore', 'pipe', disk] })
    closeSync(disk)
    const ended = once(server, 'exit')
    let stdout = ''
    while (!/Listening on (\S+)/.test(stdout))
      stdout += String((await once(server.stdout as Readable, 'data'))[0])
    const url = /Listening on (\S+)/.exec(stdout)?.[1]
    for (let i = 0; i < 3; i++) {
      const res = await fetch(`${url}/v1/batch`, { method: 'POST', body: '{}' })
      expect(res.status).toBe(400)
    }
    server.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  it('is told by a command whose result is lost', async () => {
    const disk = full()
    const help = spawn(process.execPath, [BIN, 'help'], { stdio: ['ignore', disk, 'pipe'] })
    closeSync(disk)
    let stderr = ''
    help.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    await once(help, 'close')
    expect([help.exitCode, stderr]).toEqual([1, 'error: stdout cannot be written (ENOSPC)\n'])
  })
})

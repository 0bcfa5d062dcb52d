import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { tempDir } from '../temp-dir.js'
import { Cli } from './spawn-cli.js'

const CONFIG = (transform = '') => `
listen: { port: 0 }
sources:
  - id: src_web
    writeKey: web-key
    destination: { region: eu-west-1, mappedStreams: { '*': everything }${transform} }
`

function withPipe(): string {
  const cwd = tempDir()
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  return cwd
}

async function ended(run: Cli) {
  await run.ended()
  return [run.child.exitCode, run.child.signalCode]
}

describe('a signal', () => {
  it.each(['serve', 'check', 'iam', 'replay'])(
    'ends `%s` that waits for its config file',
    async (command) => {
      const run = new Cli([command, '--config', 'pipe'], { cwd: withPipe() })
      await once(run.child, 'spawn')
      run.child.kill('SIGTERM')
      expect(await ended(run)).toEqual([null, 'SIGTERM'])
    },
  )

  it('loads no pipe again, which would be waited for for ever, and then ends `serve`', async () => {
    const cwd = withPipe()
    writeFileSync(join(cwd, 'config.yaml'), CONFIG())
    const run = new Cli(['serve', '--config', 'config.yaml'], { cwd })
    await run.saw(/Listening on/)
    rmSync(join(cwd, 'config.yaml'))
    execFileSync('mkfifo', [join(cwd, 'config.yaml')])
    run.child.kill('SIGHUP')
    await run.logged(/config\.yaml: is a pipe, which can be read only once; not loaded again/)
    run.child.kill('SIGTERM')
    expect(await ended(run)).toEqual([0, null])
  })

  it('ends a process whose exit is held up by a thread that waits for a disk', async () => {
    const cwd = withPipe()
    const transform = `
      require('node:fs').open('pipe', () => {})
      module.exports = (event) => event`
    writeFileSync(join(cwd, 'transform.cjs'), transform)
    writeFileSync(join(cwd, 'config.yaml'), CONFIG(", transform: './transform.cjs'"))
    const run = new Cli(['serve', '--config', 'config.yaml'], { cwd })
    await run.saw(/Listening on/)
    run.child.kill('SIGTERM')
    await run.saw(/Closed: /)
    // It is being held up from here on, or soon: what comes before is a second signal, which ends it as well.
    const again = setInterval(() => run.child.kill('SIGTERM'), 50)
    try {
      expect(await ended(run)).toEqual([null, 'SIGTERM'])
    } finally {
      clearInterval(again)
    }
  })
})

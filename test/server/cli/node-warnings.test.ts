import { EventEmitter } from 'node:events'
import { expect, it } from '@jest/globals'
import { logNodeWarnings } from '../../../server/cli/node-warnings.js'
import { tempDir } from '../temp-dir.js'
import { Cli } from './spawn-cli.js'

/** Has Node.js warn as soon as somebody listens to warnings. */
const WARN = `data:text/javascript,${encodeURIComponent(`
  process.on('newListener', (event) => {
    if (event === 'warning') process.emitWarning('One line\\nand another', 'TestWarning')
  })`)}`

it.each(['1', '2'])(
  'keeps the log of `serve --workers %s` a JSON object a line, whatever Node.js warns of',
  async (workers) => {
    const args = ['serve', '--local-aws', '--port', '0', '--workers', workers]
    const run = new Cli(args, {
      cwd: tempDir(),
      env: { NODE_OPTIONS: `--import=${WARN}` },
      nodeWarnings: true,
    })
    await run.logged(/TestWarning/)
    await run.saw(/Listening/)
    run.child.kill('SIGTERM')
    const { stderr } = await run.ended()
    const lines = stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('SIGTERM'))
    const entries = lines.map((line) => JSON.parse(line) as { msg: string })
    expect(entries).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: 'TestWarning: One line and another' }),
    )
  },
)

it('logs none where warnings are switched off, and leaves the listeners of others', () => {
  const source = new EventEmitter() as unknown as NodeJS.Process
  const others: unknown[] = []
  source.on('warning', (warning) => others.push(warning.message))
  const logged: string[] = []
  logNodeWarnings({ warn: (line: string) => logged.push(line) }, source)
  source.emit('warning', new Error('off'))
  source.on('warning', function onWarning() {
    throw new Error('Printed')
  })
  logNodeWarnings({ warn: (line: string) => logged.push(line) }, source)
  source.emit('warning', new Error('on\nand on'))
  expect([others, logged]).toEqual([['off', 'on\nand on'], ['Error: on and on']])
})

it('outlives a warning that has no message', () => {
  const source = new EventEmitter() as unknown as NodeJS.Process
  source.on('warning', function onWarning() {})
  const lines: string[] = []
  logNodeWarnings({ warn: (line: string) => void lines.push(line) }, source)
  source.emit('warning', { name: 'Odd' } as Error)
  expect(lines).toEqual(['Odd: undefined'])
})

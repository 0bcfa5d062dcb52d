// The long form of the fault suite: npm run chaos -- --minutes 30 [--seed 42]
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
const jest = [
  '--experimental-vm-modules',
  '--no-warnings=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
]
const env = {
  ...process.env,
  CHAOS_MINUTES: values.minutes,
  ...(values.seed !== undefined && { CHAOS_SEED: values.seed }),
}
const child = spawn(process.execPath, [...jest, 'test/chaos'], { stdio: 'inherit', env })
child.on('exit', (code) => {
  process.exitCode = code ?? 1
})

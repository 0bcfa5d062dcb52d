import { describe, expect, it } from '@jest/globals'
import { tempDir } from '../temp-dir.js'
import { Cli } from './spawn-cli.js'

/** Has the import of the SDK fail, as it does where no more files can be opened. */
const HOOKS = `data:text/javascript,${encodeURIComponent(`
  export function resolve(name, context, next) {
    if (name === '@aws-sdk/client-firehose') throw new Error('EMFILE: too many open files')
    return next(name, context)
  }`)}`
const REGISTER = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module'
  register(${JSON.stringify(HOOKS)})`)}`

function served(workers: string): Cli {
  const args = ['serve', '--local-aws', '--port', '0', '--workers', workers]
  return new Cli(args, { cwd: tempDir(), env: { NODE_OPTIONS: `--import=${REGISTER}` } })
}

describe('serve, where the AWS SDK cannot be loaded', () => {
  it('ends, for another process can', async () => {
    const { code, stderr } = await served('1').ended()
    expect([code, stderr]).toEqual([1, 'error: The AWS SDK cannot be loaded: EMFILE: too many open files\n'])
  })

  it('replaces a worker', async () => {
    const run = served('2')
    await run.logged(/error: The AWS SDK cannot be loaded: EMFILE: too many open files/)
    // It is no end in order, after which another would begin at once.
    await run.logged(/ended with 1; another takes its place in 100 ms/)
  })
})

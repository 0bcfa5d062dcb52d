import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { tempDir } from '../temp-dir.js'
import { Cli } from './spawn-cli.js'

/** The environment of a process that cannot import a package. */
function withoutPackage(name: string, error: { readonly message: string; readonly code?: string }) {
  const hooks = `data:text/javascript,${encodeURIComponent(`
    export function resolve(name, context, next) {
      if (name === ${JSON.stringify(name)})
        throw Object.assign(new Error(${JSON.stringify(error.message)}), { code: ${JSON.stringify(error.code)} })
      return next(name, context)
    }`)}`
  const register = `data:text/javascript,${encodeURIComponent(`
    import { register } from 'node:module'
    register(${JSON.stringify(hooks)})`)}`
  return { NODE_OPTIONS: `--import=${register}` }
}

function served(workers: string): Cli {
  const args = ['serve', '--local-aws', '--port', '0', '--workers', workers]
  // As it is where no more files can be opened.
  const env = withoutPackage('@aws-sdk/client-firehose', { message: 'EMFILE: too many open files' })
  return new Cli(args, { cwd: tempDir(), env })
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

describe('serve, where dead letters go to S3 and its package is not installed', () => {
  it('does not start, and says what to install', async () => {
    const cwd = tempDir()
    const config = `
deadLetters: s3://letters/dead
sources:
  - { id: src_web, writeKey: web-key, destination: { mappedStreams: { '*': everything } } }
`
    writeFileSync(join(cwd, 'analytics-firehose.yaml'), config)
    const env = withoutPackage('@aws-sdk/client-s3', {
      message: "Cannot find package '@aws-sdk/client-s3'",
      code: 'ERR_MODULE_NOT_FOUND',
    })
    expect(await new Cli(['serve', '--port', '0'], { cwd, env }).ended()).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: deadLetters: S3 needs the package @aws-sdk/client-s3, which is not installed beside this one; install it: ' +
        'npm install @aws-sdk/client-s3\n',
    })
  })
})

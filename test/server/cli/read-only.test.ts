import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { startTestAws, type TestAws } from '../../integration/aws.js'
import { itWithReadOnlyDisk, readOnlyDisk } from '../../read-only-disk.js'
import { tempDir } from '../temp-dir.js'
import { Cli, cli } from './spawn-cli.js'

const ENV = {
  AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
  AWS_SECRET_ACCESS_KEY: 'any',
  AWS_REGION: 'eu-west-1',
}

let test: TestAws | undefined

afterEach(async () => {
  await test?.close()
  test = undefined
})

async function start() {
  test = await startTestAws({ queues: ['spill', 'letters'], buckets: ['letters'] })
  return test
}

/** A config file outside of the working directory. */
function config({ aws }: TestAws, more: string): string {
  const file = join(tempDir(), 'config.yaml')
  const text = `
listen: { port: 0 }
${more}
sources:
  - id: src_web
    writeKey: web-key
    destination:
      endpoint: ${aws.endpoint}
      deliveryTimeout: 1000
      mappedStreams: { '*': everything }
`
  writeFileSync(file, text)
  return file
}

const send = (url: string, batch: readonly object[]) =>
  fetch(`${url}/v1/batch`, { method: 'POST', body: JSON.stringify({ writeKey: 'web-key', batch }) })

const track = (n: number) => ({ type: 'track', event: 'Order Done', userId: 'u1', messageId: `m${n}` })

/** The lines of all objects of the bucket. */
function objects({ aws }: TestAws): string[] {
  const folder = join(aws.dir, '@s3', 'letters')
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ndjson'))
    .flatMap(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8').trimEnd().split('\n'))
}

describe('serve on a read-only file system', () => {
  itWithReadOnlyDisk('does all that it does, with its spill in SQS and its dead letters in S3', async () => {
    const test = await start()
    const { endpoint } = test.aws
    const more = `
spill: ${endpoint}/123456789012/spill
deadLetters: { bucket: letters, prefix: dead, endpoint: "${endpoint}" }`
    const run = new Cli(['serve', '--config', config(test, more)], { cwd: readOnlyDisk(), env: ENV })
    const url = await run.saw(/Listening on (http:\S+)/)
    await run.saw(/Dead letters, if any: s3:\/\/letters\/dead\//)
    expect((await send(url, [track(1), { type: 'track', userId: 'u1' }])).status).toBe(200)
    expect(test.taken.size).toBe(1)
    expect(objects(test).map((line) => (JSON.parse(line) as { code: string }).code)).toEqual([
      'ERR_INVALID_EVENT',
    ])

    const recover = test.aws.addFault({ kind: 'throttle', action: 'PutRecordBatch' })
    expect((await send(url, [track(2)])).status).toBe(200)
    expect(test.callsOf('SendMessageBatch')).toMatchObject([{ queue: 'spill', records: 1, status: 200 }])
    recover()
    while (test.taken.size < 2) await new Promise(setImmediate)

    run.child.kill('SIGTERM')
    const { code, stderr } = await run.ended()
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/EROFS|ENOENT/)
  })

  itWithReadOnlyDisk('does not start with its dead letters there, and says what to do', async () => {
    const test = await start()
    const disk = readOnlyDisk()
    const file = config(test, `spill: ${test.aws.endpoint}/123456789012/spill`)
    expect(await cli(['serve', '--config', file], { cwd: disk, env: ENV })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        `error: deadLetters: got "./dead-letters", which is ${disk}/dead-letters, in which nothing can be kept; ` +
        `EROFS: read-only file system, mkdir './dead-letters'; the file system is read-only: mount it writable, or give ` +
        'another directory, or an SQS queue or S3, such as s3://BUCKET/PREFIX\n',
    })
  })

  itWithReadOnlyDisk('does not start with its spill there, and says what to do', async () => {
    const test = await start()
    const disk = readOnlyDisk()
    const file = config(test, `deadLetters: ${test.aws.endpoint}/123456789012/letters`)
    const { code, stderr } = await cli(['serve', '--config', file], { cwd: disk, env: ENV })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^error: spill: got "\.\/spill", which is .*\(EROFS: .*\); the file system is read-only/,
      ),
    ])
  })
})

describe('serve with dead letters in a queue', () => {
  it('answers 503 for an event that can be kept nowhere, and 200 once it can; replay takes it from there', async () => {
    const test = await start()
    const queue = `${test.aws.endpoint}/123456789012/letters`
    const cwd = tempDir()
    const file = config(test, `spill: ${test.aws.endpoint}/123456789012/spill\ndeadLetters: ${queue}`)
    const stop = test.aws.addFault({ kind: 'error', code: 'AccessDenied', status: 403, queue: 'letters' })
    const run = new Cli(['serve', '--config', file], { cwd, env: ENV })
    const url = await run.saw(/Listening on (http:\S+)/)
    await run.logged(
      /deadLetters: the SQS queue .*letters cannot be written .*AccessDenied.*allow sqs:SendMessage/,
    )
    const batch = [track(1), { ...track(2), event: undefined }]
    const refused = await send(url, batch)
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'dead_letters_unwritable' }])
    stop()
    expect((await send(url, batch)).status).toBe(200)
    run.child.kill('SIGTERM')
    await run.ended()
    expect(readdirSync(cwd)).toEqual([])

    const sent = test.taken.size
    const { stdout, stderr } = await cli(['replay', '--config', file], { cwd, env: ENV })
    expect(stderr).toContain(`Taking dead letters out of ${queue} to dead-letters/letters\nTaken: 1\n`)
    expect(stdout).toContain('Read: 1 from 1 file(s)')
    expect(stdout).toContain('Skipped: 1 (1 still invalid)')
    expect(test.taken.size).toBe(sent)
    const again = await cli(['replay', '--config', file, '--from', queue], { cwd, env: ENV })
    expect(again.stderr).toContain('Taken: 0\n')
    expect(again.stdout).toContain('Read: 1 from 1 file(s)')
  })
})

describe('serve --local-aws', () => {
  it.each([
    ['1', 's3://letters/dead'],
    ['2', 's3://letters/dead'],
    ['2', 'https://sqs.eu-west-1.amazonaws.com/123456789012/letters'],
  ])('keeps dead letters in its own S3 or SQS, with %s worker(s): %s', async (workers, deadLetters) => {
    const cwd = tempDir()
    writeFileSync(
      join(cwd, 'analytics-firehose.yaml'),
      `
deadLetters: ${deadLetters}
spill: https://sqs.eu-west-1.amazonaws.com/123456789012/spill
sources: [{ id: src_web, writeKey: web-key, destination: { mappedStreams: { '*': everything } } }]
`,
    )
    const run = new Cli(['serve', '--local-aws', 'aws', '--port', '0', '--workers', workers], { cwd })
    const url = await run.saw(/Listening on (http:\S+)/)
    expect((await send(url, [track(1), { type: 'track', userId: 'u1' }])).status).toBe(200)
    run.child.kill('SIGTERM')
    const { code, stderr } = await run.ended()
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/deadLetters|Dead letters|spill/)])
  })
})

describe('replay', () => {
  it.each([
    [
      'a bucket',
      's3://letters/dead',
      /aws s3 sync s3:\/\/letters\/dead\/ \.\/dead-letters --region eu-west-1\n.*replay --from \.\/dead-letters\n$/,
    ],
    [
      'what is no queue',
      'https://example.com/letters',
      /^error: --from: give the URL of a standard SQS queue/,
    ],
    ['no bucket', 's3://', /^error: --from: give the name of an S3 bucket/],
  ])('says how to send what is in %s', async (_case, from, said) => {
    const test = await start()
    const { code, stderr } = await cli(['replay', '--config', config(test, ''), '--from', from], {
      cwd: tempDir(),
      env: ENV,
    })
    expect([code, stderr]).toEqual([1, expect.stringMatching(said)])
  })

  it('takes no letters out of a queue in a dry run, nor out of the queue of the spill, and says of an empty one', async () => {
    const test = await start()
    const { endpoint } = test.aws
    const [spill, letters] = ['spill', 'letters'].map((name) => `${endpoint}/123456789012/${name}`)
    const file = config(test, `spill: ${spill}`)
    const run = async (...args: string[]) =>
      (await cli(['replay', '--config', file, '--from', ...args], { cwd: tempDir(), env: ENV })).stderr
    expect(await run(`${letters}`, '--dry-run')).toMatch(
      /^error: --from: letters of a queue are counted once/,
    )
    expect(await run(`${spill}`)).toMatch(/^error: --from: is the queue of the spill/)
    expect(await run(`${letters}`)).toContain(`error: --from: there are no dead letters in ${letters}\n`)
    expect(await run(`${endpoint}/123456789012/other`)).toMatch(
      /cannot be read in eu-west-1 \(QueueDoesNotExist/,
    )
  })
})

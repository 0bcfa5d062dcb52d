import { describe, expect, it } from '@jest/globals'
import { readProxyConfig } from '../../../server/config/configuration.js'

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/123456789012/letters'
const GIB = 1024 * 1024 * 1024

function read(
  deadLetters: unknown,
  { env = {}, spill }: { env?: Record<string, string>; spill?: unknown } = {},
) {
  const source = { id: 'src_web', writeKey: 'key', destination: { mappedStreams: { '*': 's' } } }
  return readProxyConfig({ sources: [source], deadLetters, spill }, { env })
}

function placeOf(given: unknown, env: Record<string, string> = {}) {
  const result = read(given, { env })
  if ('problems' in result) throw new Error(result.problems.join('\n'))
  return result.configuration.deadLetters
}

function problemsOf(given: unknown, spill?: unknown) {
  const result = read(given, { spill })
  return 'problems' in result ? result.problems : []
}

const bucket = (more: object) => ({
  kind: 'bucket',
  bucket: 'letters',
  prefix: '',
  region: 'us-west-2',
  endpoint: undefined,
  ...more,
})

describe('the setting `deadLetters`', () => {
  it.each<[unknown, unknown]>([
    [undefined, undefined],
    ['./dead', { kind: 'directory', directory: './dead', maxBytes: GIB }],
    [
      { directory: 'd', maxBytes: '20000000' },
      { kind: 'directory', directory: 'd', maxBytes: 20_000_000 },
    ],
    [QUEUE, { kind: 'queue', queueUrl: QUEUE, region: 'eu-west-1' }],
    [
      { queueUrl: QUEUE, region: 'eu-west-1', httpsProxy: 'http://proxy:3128' },
      { kind: 'queue', queueUrl: QUEUE, region: 'eu-west-1', httpsProxy: 'http://proxy:3128' },
    ],
    ['s3://letters', bucket({})],
    ['s3://letters/', bucket({})],
    ['s3://letters/dead/web', bucket({ prefix: 'dead/web/' })],
    [
      {
        bucket: 'letters',
        prefix: 'dead//',
        region: 'eu-west-1',
        endpoint: 'http://127.0.0.1:4599',
        httpsProxy: false,
      },
      bucket({ prefix: 'dead/', region: 'eu-west-1', endpoint: 'http://127.0.0.1:4599', httpsProxy: false }),
    ],
  ])('takes %j', (given, complete) => {
    expect(placeOf(given)).toEqual(complete)
  })

  it('has AWS_REGION where nothing else names a region', () => {
    const env = { AWS_REGION: 'eu-central-1' }
    expect(placeOf('s3://letters', env)).toMatchObject({ region: 'eu-central-1' })
    expect(placeOf('http://127.0.0.1:4599/123456789012/letters', env)).toMatchObject({
      region: 'eu-central-1',
    })
  })

  it.each<[unknown, string]>([
    ['', 'deadLetters.directory: got ""; give a directory'],
    [
      7,
      "deadLetters: got 7; give a directory, such as './dead-letters', the URL of an SQS queue, 's3://BUCKET",
    ],
    [[], 'deadLetters: got []; give a directory, such as'],
    [{}, 'deadLetters.directory: is missing; give a directory'],
    [
      { directory: 'd', maxBytes: 5 },
      'deadLetters.maxBytes: got 5; use a whole number of bytes from 16777216',
    ],
    [{ directory: 'd', maxbytes: 5 }, 'deadLetters.maxbytes: is not a setting. Did you mean `maxBytes`?'],
    [
      'https://example.com/letters',
      'deadLetters.queueUrl: got "https://example.com/letters"; give the URL of a',
    ],
    [`${QUEUE}.fifo`, 'give the URL of a standard SQS queue'],
    [{ queueURL: QUEUE }, 'deadLetters.queueURL: is not a setting. Did you mean `queueUrl`?'],
    [
      { queueUrl: QUEUE, region: 'us-east-1' },
      'deadLetters.region: got "us-east-1"; the queue\'s URL is of eu-west-1: leave region out, or name the queue of that region',
    ],
    [
      { bucket: 'letters', httpsProxy: 'ftp://name:password@proxy' },
      'deadLetters.httpsProxy: got "ftp://proxy"; give the proxy\'s URL',
    ],
    [{ queueUrl: QUEUE, region: '' }, 'deadLetters.region: got ""; name the AWS region'],
    ['s3://', 'deadLetters.bucket: got ""; give the name of an S3 bucket'],
    ['s3://Letters/x', 'deadLetters.bucket: got "Letters"; give the name of an S3 bucket'],
    ['s3://letters//x', 'deadLetters.prefix: got "/x"; give what keys begin with'],
    [{ bucket: 'letters', prefix: 'x'.repeat(901) }, 'deadLetters.prefix: got "xxx'],
    [
      { bucket: 'letters', endpoint: 'letters.local' },
      'deadLetters.endpoint: got "letters.local"; give a URL',
    ],
    [
      { buckt: 'letters', region: 'us-east-1' },
      'deadLetters.buckt: is not a setting. Did you mean `bucket`?',
    ],
  ])('tells what is wrong with %j', (given, problem) => {
    expect(problemsOf(given)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]))
  })

  it('is not the queue of the spill', () => {
    expect(problemsOf(QUEUE, QUEUE)).toEqual([
      `deadLetters: is the queue of the spill, ${JSON.stringify(QUEUE)}; give it a queue of its own`,
    ])
    expect(problemsOf(QUEUE, `${QUEUE}-spill`)).toEqual([])
  })
})

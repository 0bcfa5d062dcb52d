import { describe, expect, it } from '@jest/globals'
import { parseSettings } from '../../../plugin/settings/configuration.js'
import type { SpillSettings } from '../../../plugin/settings/settings.js'

const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/123456789012/spill'
const GIB = 1024 * 1024 * 1024

const spillOf = (spill: unknown, env: Record<string, string> = {}) =>
  parseSettings({ mappedStreams: { '*': 's' }, spill: spill as SpillSettings }, { env }).spill

describe('the setting `spill`', () => {
  it.each<[unknown, unknown]>([
    [undefined, undefined],
    ['./spill', { directory: './spill', maxBytes: GIB, drainShare: 0.25 }],
    [
      { directory: 'd', maxBytes: '2000000', drainShare: 1 },
      { directory: 'd', maxBytes: 2_000_000, drainShare: 1 },
    ],
    [QUEUE, { queueUrl: QUEUE, region: 'eu-west-1', drainShare: 0.25 }],
    [
      { queueUrl: QUEUE, region: 'eu-west-1', httpsProxy: 'http://proxy:3128', drainShare: 0.5 },
      { queueUrl: QUEUE, region: 'eu-west-1', httpsProxy: 'http://proxy:3128', drainShare: 0.5 },
    ],
    [
      'https://eu-west-3.queue.amazonaws.com/123456789012/spill',
      expect.objectContaining({ region: 'eu-west-3' }),
    ],
    ['http://127.0.0.1:4599/123456789012/spill', expect.objectContaining({ region: 'us-west-2' })],
    ['http://localhost:9324/queue/spill', expect.objectContaining({ region: 'us-west-2' })],
    [
      'https://vpce-0a1b2c3d-87654321.sqs.ap-southeast-2.vpce.amazonaws.com/123456789012/spill',
      expect.objectContaining({ region: 'ap-southeast-2' }),
    ],
  ])('takes %j', (given, complete) => {
    expect(spillOf(given)).toEqual(complete)
  })

  it('has AWS_REGION for a queue whose URL names none', () => {
    expect(spillOf('http://127.0.0.1:4599/123456789012/spill', { AWS_REGION: 'eu-central-1' })).toMatchObject(
      {
        region: 'eu-central-1',
      },
    )
  })

  it.each<[unknown, string]>([
    ['', 'spill.directory: got ""; give a directory'],
    [7, 'spill: got 7; give a directory, such as'],
    [[1], 'spill: got [1]; give a directory, such as'],
    [null, 'spill: got null; give a directory, such as'],
    [{}, 'spill.directory: is missing; give a directory'],
    [{ directory: 'd', maxBytes: 5 }, 'spill.maxBytes: got 5; use a whole number of bytes from 1024000'],
    [{ directory: 'd', drainShare: 0 }, 'spill.drainShare: got 0; use a number above 0 and up to 1'],
    [{ directory: 'd', maxByte: 5 }, 'spill.maxByte: is not a setting'],
    [
      'https://example.com/spill',
      'spill.queueUrl: got "https://example.com/spill"; give the URL of a standard',
    ],
    [
      { queueUrl: QUEUE, region: 'us-east-1' },
      'spill.region: got "us-east-1"; the queue\'s URL is of eu-west-1: leave region out',
    ],
    [
      { queueUrl: QUEUE, httpsProxy: 'socks5://proxy' },
      'spill.httpsProxy: got "socks5://proxy"; give the proxy\'s URL, such as http://proxy.example.com:3128',
    ],
    [`${QUEUE}.fifo`, 'give the URL of a standard SQS queue'],
    [
      { queueUrl: QUEUE, maxBytes: 2_000_000 },
      'spill.maxBytes: is not a setting; known are queueUrl, region, httpsProxy, drainShare',
    ],
    [
      { directory: 'd', region: 'us-east-1' },
      'spill.region: is not a setting; known are directory, maxBytes, drainShare',
    ],
    [{ directory: 'd', maxbytes: 2_000_000 }, 'spill.maxbytes: is not a setting. Did you mean `maxBytes`?'],
    [
      { dir: 'd' },
      'spill.dir: is not a setting; known are directory, maxBytes, drainShare, queueUrl, region, httpsProxy',
    ],
    [{ queueURL: QUEUE }, 'spill.queueURL: is not a setting. Did you mean `queueUrl`?'],
    [{ queueURL: QUEUE }, 'spill.queueUrl: is missing; give the URL of a standard SQS queue'],
    [{ region: 'us-east-1' }, 'spill.queueUrl: is missing; give the URL of a standard SQS queue'],
  ])('tells what is wrong with %j', (given, problem) => {
    expect(() => spillOf(given)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(problem) }),
    )
  })
})

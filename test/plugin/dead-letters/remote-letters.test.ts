import { afterEach, describe, expect, it } from '@jest/globals'
import type { DeadLetter } from '../../../plugin/dead-letters/dead-letter.js'
import {
  type LetterPlace,
  type RemoteConfiguration,
  RemoteLetters,
} from '../../../plugin/dead-letters/remote-letters.js'
import { FakeClock } from '../../fake-clock.js'
import { silentLogger } from '../spill/harness.js'

const QUEUE: RemoteConfiguration = {
  kind: 'queue',
  queueUrl: 'https://sqs.us-west-2.amazonaws.com/123456789012/letters',
  region: 'us-west-2',
}
const BUCKET: RemoteConfiguration = {
  kind: 'bucket',
  bucket: 'letters',
  prefix: 'dead/',
  region: 'eu-west-1',
  endpoint: undefined,
}

const open: RemoteLetters[] = []

afterEach(() => {
  for (const letters of open.splice(0)) letters.close()
})

const letter = (messageId: string): DeadLetter => ({
  at: '2026-01-02T03:04:05.000Z',
  reason: 'The event has no type',
  code: 'ERR_INVALID_EVENT',
  source: 'src_web',
  stream: null,
  messageId,
  data: { userId: 'ü' },
})

const named = (name: string, message = 'as AWS says it') => Object.assign(new Error(message), { name })

function remote(configuration: RemoteConfiguration = QUEUE, place: Partial<LetterPlace> = {}) {
  const clock = new FakeClock()
  const logger = silentLogger()
  /** The IDs of each write. */
  const writes: string[][] = []
  const letters = new RemoteLetters({
    configuration,
    clock,
    logger,
    open: async () => ({
      tryOut: async () => {},
      write: async (lines) => {
        writes.push(
          lines.map((line) => (JSON.parse(Buffer.from(line).toString()) as DeadLetter).messageId ?? ''),
        )
      },
      close() {},
      ...place,
    }),
  })
  open.push(letters)
  return { clock, logger, writes, letters }
}

describe('dead letters outside of this machine', () => {
  it('go together, in order, where they come at the same time', async () => {
    const { letters, writes, clock } = remote()
    const written = Promise.all(['a', 'b', 'c'].map((id) => letters.write([letter(id), letter(`${id}2`)])))
    await clock.advance(0)
    await written
    expect(writes).toEqual([['a', 'a2', 'b', 'b2', 'c', 'c2']])
  })

  it('are written four times a second at most, however many come', async () => {
    const { letters, writes, clock } = remote()
    const written: Promise<void>[] = []
    for (let ms = 0; ms < 1_000; ms += 10) {
      written.push(letters.write([letter(`${ms}`)]))
      await clock.advance(10)
    }
    await clock.advance(250)
    await Promise.all(written)
    expect(writes.length).toBeLessThanOrEqual(5)
    expect(writes.flat()).toEqual(Array.from({ length: 100 }, (_, n) => `${n * 10}`))
  })

  it('reject where they cannot be written, each write of the round, and are taken again later', async () => {
    let isDown = true
    const { letters, clock } = remote(BUCKET, {
      write: async () => {
        if (isDown) throw named('AccessDenied')
      },
    })
    const outcomes = Promise.allSettled([letters.write([letter('a')]), letters.write([letter('b')])])
    await clock.advance(0)
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: {
          message:
            'deadLetters: s3://letters/dead/ cannot be written in eu-west-1 (AccessDenied: as AWS says it); ' +
            'allow s3:PutObject on arn:aws:s3:::letters/dead/*, and kms:GenerateDataKey and kms:Decrypt where a key of ' +
            'your own encrypts it',
        },
      })
    }
    isDown = false
    const again = letters.write([letter('c')])
    await clock.advance(250)
    await again
  })

  it('reject where nothing answers, while senders still wait', async () => {
    const { letters, clock } = remote(QUEUE, { write: () => new Promise(() => {}) })
    const outcome = Promise.allSettled([letters.write([letter('a')])])
    await clock.advance(4_000)
    expect(await outcome).toMatchObject([
      { status: 'rejected', reason: { message: /did not answer within 4000 ms/ } },
    ])
  })

  it('are not written for nothing', async () => {
    const { letters, writes } = remote()
    await letters.write([])
    expect(writes).toEqual([])
  })

  it.each<[RemoteConfiguration, string, RegExp]>([
    [
      QUEUE,
      'AccessDenied',
      /the SQS queue https.*letters cannot be written in us-west-2 \(AccessDenied: .*\); allow sqs:SendMessage on it/,
    ],
    [QUEUE, 'QueueDoesNotExist', /; make the queue, or mend its name or region\./],
    [BUCKET, 'NoSuchBucket', /; make the bucket, or mend its name or region\./],
    [BUCKET, 'PermanentRedirect', /; give the region of the bucket\./],
    [BUCKET, 'CredentialsProviderError', /; give this process AWS credentials, from the environment/],
    [BUCKET, 'ExpiredToken', /; this process's own AWS credentials have expired: /],
    [
      BUCKET,
      'TimeoutError',
      /\(TimeoutError: as AWS says it\); see that S3 can be reached .* and proxy\. Until then a request .* is answered 503$/,
    ],
  ])('are tried at the start, and the log says what to mend: %j, %s', async (configuration, name, said) => {
    let isDown = true
    const { clock, logger } = remote(configuration, {
      tryOut: async () => {
        if (isDown) throw named(name)
      },
    })
    await clock.advance(119_000)
    expect(logger.error.mock.calls).toEqual([[expect.stringMatching(said)]])
    isDown = false
    await clock.advance(60_000)
    expect(logger.info.mock.calls).toEqual([[expect.stringMatching(/^The dead letters can be kept/)]])
    await clock.advance(600_000)
    expect(clock.timers).toBe(0)
  })

  it('that have no place yet are tried no more once they are closed', async () => {
    const { clock, letters } = remote(QUEUE, {
      tryOut: async () => {
        throw named('TimeoutError')
      },
    })
    await clock.advance(0)
    letters.close()
    expect(clock.timers).toBe(0)
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { systemClock } from '../../../plugin/clock.js'
import { openLetterBucket } from '../../../plugin/dead-letters/letter-bucket.js'
import { type LocalAws, type LocalAwsOptions, startLocalAws } from '../../../server/local-aws/index.js'
import { tempDir } from '../../server/temp-dir.js'

const own = { ...process.env }
const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  process.env = { ...own }
})

async function bucket({ prefix = 'dead/', ...options }: LocalAwsOptions & { prefix?: string } = {}) {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIAANYONE0000000000', AWS_SECRET_ACCESS_KEY: 'any' })
  const actions: string[] = []
  const aws: LocalAws = await startLocalAws({
    dir: tempDir(),
    onCall: ({ action }) => actions.push(action),
    ...options,
  })
  cleanUps.push(() => aws.close())
  let now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  const clock = { ...systemClock, wallTime: () => now }
  const configuration = {
    kind: 'bucket',
    bucket: 'letters',
    prefix,
    region: 'us-west-2',
    endpoint: aws.endpoint,
  } as const
  const place = await openLetterBucket(configuration, clock)
  cleanUps.push(() => place.close())
  const folder = join(aws.dir, '@s3', 'letters')
  const keys = () =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
      .sort()
  const read = (key = '') => readFileSync(join(folder, key), 'utf8')
  return { aws, actions, place, keys, read, pass: (ms: number) => (now += ms) }
}

const line = (id: string) => Buffer.from(`{"id":"${id}"}\n`)

describe('dead letters in a bucket', () => {
  it('are lines of an object for each write, whose keys sort by time', async () => {
    const { place, keys, read, pass } = await bucket()
    await place.write([line('a'), line('b')])
    pass(1)
    await place.write([line('c')])
    pass(86_400_000)
    await place.write([line('d')])
    expect(keys()).toEqual([
      expect.stringMatching(/^dead\/2026\/01\/02\/2026-01-02T03-04-05-678Z-[0-9a-f]{16}\.ndjson$/),
      expect.stringMatching(/^dead\/2026\/01\/02\/2026-01-02T03-04-05-679Z-[0-9a-f]{16}\.ndjson$/),
      expect.stringMatching(/^dead\/2026\/01\/03\/2026-01-03T03-04-05-679Z-[0-9a-f]{16}\.ndjson$/),
    ])
    expect(keys().map(read)).toEqual(['{"id":"a"}\n{"id":"b"}\n', '{"id":"c"}\n', '{"id":"d"}\n'])
  })

  it('may have no prefix', async () => {
    const { place, keys } = await bucket({ prefix: '' })
    await place.write([line('a')])
    expect(keys()).toEqual([expect.stringMatching(/^2026\/01\/02\/2026-/)])
  })

  it('are tried by an object that each try replaces, and that no replay reads', async () => {
    const { place, keys, read } = await bucket()
    for (let tries = 0; tries < 3; tries++) await place.tryOut()
    expect(keys()).toEqual(['dead/%2Echeck'])
    expect(read('dead/%2Echeck')).toBe('')
  })

  it('are tried again where S3 is throttled or gives an error, and three times at most', async () => {
    const { aws, place, keys, actions } = await bucket()
    aws.addFault({ kind: 'throttle', action: 'PutObject', times: 1 })
    aws.addFault({ kind: 'disconnect', action: 'PutObject', times: 1 })
    await place.write([line('a')])
    expect(keys()).toHaveLength(1)
    actions.length = 0
    aws.addFault({ kind: 'throttle', action: 'PutObject' })
    await expect(place.write([line('b')])).rejects.toMatchObject({ name: 'SlowDown' })
    expect(actions).toHaveLength(3)
  })

  it('are put with new credentials where S3 says that the old ones have expired', async () => {
    const { aws, place, keys, actions } = await bucket()
    aws.addFault({ kind: 'error', code: 'ExpiredToken', status: 400, action: 'PutObject', times: 1 })
    await place.write([line('a')])
    expect(keys()).toHaveLength(1)
    expect(actions).toHaveLength(2)
  })

  it.each<[string, LocalAwsOptions, string]>([
    ['a bucket that is not there', { roles: [] }, 'NoSuchBucket'],
    [
      'credentials that may not put objects',
      {
        roles: [],
        buckets: ['letters'],
        accessKeys: [
          { accessKeyId: 'AKIAANYONE0000000000', secretAccessKey: 'any', policy: { Statement: [] } },
        ],
      },
      'AccessDenied',
    ],
  ])('reject at once for %s, also when they are tried', async (_case, options, name) => {
    const { place, actions } = await bucket(options)
    await expect(place.tryOut()).rejects.toMatchObject({ name })
    await expect(place.write([line('a')])).rejects.toMatchObject({ name })
    expect(actions).toHaveLength(2)
  })
})

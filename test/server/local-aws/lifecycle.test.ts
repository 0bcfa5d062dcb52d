import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ListDeliveryStreamsCommand, PutRecordCommand } from '@aws-sdk/client-firehose'
import { afterEach, describe, expect, test } from '@jest/globals'
import { startLocalAws } from '../../../server/local-aws/index.js'
import { itWithReadOnlyDisk, readOnlyDisk } from '../../read-only-disk.js'
import { bytes, start, stopAll } from './harness.js'

afterEach(stopAll)

const put = new PutRecordCommand({ DeliveryStreamName: 's', Record: { Data: bytes('x') } })

describe('startLocalAws', () => {
  test('says which port is in use', async () => {
    const { aws } = await start()
    const port = Number(new URL(aws.endpoint).port)
    await expect(start({ port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    })
  })

  test('listens on the port that it is given', async () => {
    const first = await start()
    const port = Number(new URL(first.aws.endpoint).port)
    await first.aws.close()
    const { aws, firehose } = await start({ port })
    expect(aws.endpoint).toBe(`http://127.0.0.1:${port}`)
    await firehose().send(put)
  })

  test('says that the folder cannot be made', async () => {
    const { aws } = await start()
    const file = join(aws.dir, 'file')
    await writeFile(file, '')
    await expect(start({ dir: join(file, 'folder') })).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  itWithReadOnlyDisk('says that the folder is on a read-only file system', async () => {
    const disk = readOnlyDisk()
    for (const dir of [disk, join(disk, 'a'), join(disk, 'a', 'b')])
      await expect(start({ dir })).rejects.toMatchObject({ code: 'EROFS' })
  })

  test.each<[string, object, RegExp]>([
    ['a misspelt option', { prot: 1 }, /Unrecognized key: "prot"/],
    ['a port out of range', { port: 65_536 }, /→ at port/],
    ['an account that is none', { accountId: '12' }, /→ at accountId/],
    ['a stream name', { streams: ['a b'] }, /→ at streams\[0\]/],
    [
      'a role without a trust policy',
      { roles: [{ arn: 'arn:aws:iam::123456789012:role/r' }] },
      /trustPolicy/,
    ],
    [
      'a policy element that is not covered',
      {
        roles: [
          {
            arn: 'arn:aws:iam::123456789012:role/r',
            trustPolicy: { Statement: { Effect: 'Allow', NotPrincipal: '*', Action: '*' } },
          },
        ],
      },
      /roles\[0\]\.trustPolicy/,
    ],
    ['a hook that is none', { onCall: 'log' }, /→ at onCall/],
    [
      'a temporary key',
      { accessKeys: [{ accessKeyId: 'ASIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' }] },
      /accessKeyId/,
    ],
  ])('refuses %s', async (_, options, message) => {
    await expect(startLocalAws(options)).rejects.toThrow(message)
  })

  test('does not let a hook that throws fail a call', async () => {
    const { firehose, errors } = await start({
      onCall: () => {
        throw new Error('in onCall')
      },
      onRecord: () => {
        throw new Error('in onRecord')
      },
    })
    await firehose().send(put)
    expect(errors.map((error) => error.message)).toEqual(['in onRecord', 'in onCall'])
  })

  test('does not let a hook that fails later, or the hook for errors, end the process', async () => {
    const later = () => Promise.reject(new Error('later')) as unknown as undefined
    const told: string[] = []
    const onError = ({ message }: Error) => {
      told.push(message)
      throw new Error('in onError')
    }
    const { firehose } = await start({ onCall: later, onRecord: later, onError })
    await firehose().send(put)
    expect(told).toEqual(['later', 'later'])
  })

  test('leaves no client waiting where a hook that it needs throws', async () => {
    let isBroken = false
    const now = () => {
      if (isBroken) throw new Error('in now')
      return Date.now()
    }
    const { aws, errors } = await start({ now })
    isBroken = true
    await expect(fetch(aws.endpoint, { method: 'POST', body: '{}' })).rejects.toThrow('fetch failed')
    expect(errors.map((error) => error.message)).toEqual(['in now'])
  })
})

describe('close', () => {
  test('ends idle connections and can be called again', async () => {
    const { aws, firehose } = await start()
    const client = firehose()
    await client.send(put)
    await Promise.all([aws.close(), aws.close()])
    await aws.close()
    await expect(client.send(put)).rejects.toThrow('ECONNREFUSED')
  })
})

test('stats count refused calls too', async () => {
  const { aws, firehose } = await start({ autoCreateStreams: false })
  await firehose().send(new ListDeliveryStreamsCommand({}))
  await firehose()
    .send(put)
    .catch(() => {})
  expect(aws.stats()).toEqual({ calls: { ListDeliveryStreams: 1, PutRecord: 1 }, records: {} })
})

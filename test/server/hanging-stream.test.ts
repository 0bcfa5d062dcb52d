import { afterEach, describe, expect, it } from '@jest/globals'
import { type FirehoseProxy, firehoseProxy } from '../../server/index.js'
import { startTestAws, type TestAws } from '../integration/aws.js'
import { basic, listen } from './proxy-harness.js'

const MIB = 1024 * 1024
const logger = { info() {}, warn() {}, error() {} }

let aws: TestAws
let proxy: FirehoseProxy

afterEach(async () => {
  await proxy.close({ timeout: 0 })
  await aws.close()
})

describe('a source whose stream hangs', () => {
  it('holds memory until its records are given up, and leaves room to the others', async () => {
    aws = await startTestAws({ faults: [{ kind: 'delay', ms: 60_000, stream: 'hangs' }] })
    const source = (name: string) => ({
      id: `src_${name}`,
      name,
      writeKey: `${name}-key`,
      destination: { ...aws.settings({ mappedStreams: { '*': name }, logger }), deliveryTimeout: 60_000 },
    })
    const maxBufferedBytes = 5 * MIB
    proxy = firehoseProxy({ logger, maxBufferedBytes, sources: [source('hangs'), source('works')] })
    const url = await listen(proxy)
    const send = async (name: string, bytes: number) => {
      const batch = Array.from({ length: bytes / 10_000 }, () => {
        return { type: 'track', event: 'E', userId: 'u1', text: 'x'.repeat(10_000) }
      })
      const headers = { authorization: basic(`${name}-key`) }
      const res = await fetch(`${url}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ batch }) })
      return res.status
    }
    // Those that are taken are not answered: 503 is the first answer.
    const hanging = Array.from({ length: 12 }, () => send('hangs', MIB / 2).catch(() => 0))
    expect(await Promise.race(hanging)).toBe(503)
    const { bufferedBytes } = proxy.stats()
    expect(bufferedBytes).toBeGreaterThan(maxBufferedBytes / 2)
    expect(bufferedBytes).toBeLessThanOrEqual((3 / 4) * maxBufferedBytes + MIB)
    expect(await Promise.all([send('works', MIB / 4), send('works', MIB / 8)])).toEqual([200, 200])
  })
})

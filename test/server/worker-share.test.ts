import { describe, expect, it } from '@jest/globals'
import { readServeConfig } from '../../server/config/configuration.js'
import { tellShare, workerShare } from '../../server/worker-share.js'

const MIB = 1024 * 1024

function share(workers: number, extra: object = {}) {
  const read = readServeConfig({
    sources: [
      {
        id: 'src_a',
        writeKey: 'k',
        rateLimit: { limit: 10, maxEvents: 1_001 },
        destination: { region: 'eu-west-1', mappedStreams: { '*': 's' }, maxRequestsPerSecond: 1_000 },
      },
      { id: 'src_b', writeKey: 'l', destination: { mappedStreams: { '*': 's' } } },
    ],
    ...extra,
  })
  if ('problems' in read) throw new Error(read.problems.join())
  const { maxBufferedBytes, sources } = workerShare(read.configuration, workers)
  const [a, b] = sources
  return {
    maxBufferedBytes,
    limits: [a?.rateLimit?.limit, a?.rateLimit?.maxEvents, b?.rateLimit?.limit],
    calls: a?.destinations[0]?.maxRequestsPerSecond,
  }
}

describe("a worker's share", () => {
  it('is the whole where there is one', () => {
    expect(share(1)).toEqual({ maxBufferedBytes: 64 * MIB, limits: [10, 1_001, undefined], calls: 1_000 })
  })

  it('is a part of what is set for the whole, rounded up where it is counted', () => {
    expect(share(4)).toEqual({ maxBufferedBytes: 16 * MIB, limits: [3, 251, undefined], calls: 250 })
  })

  it('has room for a request of the size that is allowed, if the whole has', () => {
    expect(share(16).maxBufferedBytes).toBe(10 * MIB)
    expect(share(16, { maxBufferedBytes: 6 * MIB }).maxBufferedBytes).toBe(6 * MIB)
  })

  it('is told where all may hold more together than was set', () => {
    const warnings: string[] = []
    const log = (message: string) => void warnings.push(message)
    const logger = { info: log, warn: log, error: log }
    tellShare(64 * MIB, 6, logger)
    expect(warnings).toEqual([])
    tellShare(64 * MIB, 8, logger)
    expect(warnings).toEqual([expect.stringMatching(/^maxBufferedBytes: 67108864 .* 8 workers.*83886080/)])
  })
})

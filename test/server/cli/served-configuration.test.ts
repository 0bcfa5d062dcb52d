import { describe, expect, it } from '@jest/globals'
import { createLog } from '../../../server/cli/log.js'
import { adaptation } from '../../../server/cli/served-configuration.js'
import { readServeConfig } from '../../../server/config/configuration.js'

const source = {
  id: 'src_web',
  writeKey: 'k',
  destination: { region: 'eu-west-1', mappedStreams: { '*': 'all' } },
}

function served(config: object) {
  const log = createLog({ level: 'silent', format: 'json', write() {} })
  const read = readServeConfig({ sources: [source], ...config }, { logger: log })
  if ('problems' in read) throw new Error(read.problems.join())
  return adaptation(log, undefined)(read.configuration)
}

describe('what serve does where the file does not say', () => {
  it('spills and keeps dead letters in the folder where it is started', () => {
    expect(served({})).toMatchObject({
      spill: { directory: './spill' },
      deadLetters: { directory: './dead-letters' },
    })
  })

  it('takes the paths without a version, which nobody else has there, unless they are switched off', () => {
    expect(served({}).unversionedPaths).toBe(true)
    expect(served({ unversionedPaths: 'false' }).unversionedPaths).toBe(false)
  })
})

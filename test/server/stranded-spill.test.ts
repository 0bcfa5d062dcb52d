import { expect, it } from '@jest/globals'
import { parseSettings } from '../../plugin/settings/configuration.js'
import type { SpillTarget } from '../../plugin/spill/spill.js'
import { spillTargets } from '../../plugin/spill/spill-target.js'
import { watchStrandedSpill } from '../../server/stranded-spill.js'
import { FakeClock } from '../fake-clock.js'

const destination = (region: string) => parseSettings({ region, mappedStreams: { '*': 'everything' } })
const target = (region: string, stream: string) => spillTargets(destination(region))(stream)

it('tells once of each stream whose records no destination sends, and of none after it is closed', async () => {
  const clock = new FakeClock()
  const warnings: string[] = []
  const logger = { info() {}, error() {}, warn: (message: string) => void warnings.push(message) }
  let destinations = [destination('eu-west-1')]
  let targets: SpillTarget[] = [target('eu-west-1', 'everything'), target('us-east-1', 'lost')]
  const watch = watchStrandedSpill({
    store: { targets: () => targets },
    destinations: () => destinations,
    clock,
    logger,
  })
  await clock.advance(180_000)
  expect(warnings).toEqual([expect.stringMatching(/^The spill holds records of stream "lost" that no /)])

  destinations = [destination('us-east-1')]
  await clock.advance(60_000)
  expect(warnings.slice(1)).toEqual([expect.stringContaining('"everything"')])

  watch.close()
  targets = [target('eu-west-1', 'more')]
  await clock.advance(180_000)
  expect(warnings).toHaveLength(2)
})

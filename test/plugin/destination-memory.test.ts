import { describe, expect, it } from '@jest/globals'
import { destinationOf } from '../../plugin/destination.js'
import type { SegmentEvent } from '../../plugin/event.js'
import { mapperOf } from '../../plugin/mapper.js'
import { parseSettings } from '../../plugin/settings/configuration.js'
import { harness } from './delivery/harness.js'

const settings = { region: 'us-east-1', maxBufferedBytes: 1_100_000, mappedStreams: { '*': ['a', 'b'] } }

function destinationHarness() {
  const { delivery, ...rest } = harness(settings)
  const configuration = parseSettings(settings)
  const mapped: SegmentEvent[] = []
  const mapper = mapperOf({
    ...configuration,
    transform: (event) => {
      mapped.push(event)
      return event
    },
  })
  return { ...rest, mapped, destination: destinationOf(mapper, delivery) }
}

function events(count: number, bytes: number): SegmentEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    type: 'track',
    event: 'E',
    messageId: `m${i}`,
    context: { x: 'y'.repeat(bytes) },
  }))
}

describe('events that do not all fit in memory', () => {
  it('fail together, so that none is sent twice when all are sent again', async () => {
    const { destination, calls, budget, clock } = destinationHarness()
    budget.take(600_000)
    const outcomes = await destination.deliver(events(5, 60_000))
    await clock.settle()
    expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('failed'))
    expect(outcomes[0]).toMatchObject({ failures: [{ error: { code: 'ERR_BUFFER_FULL' } }] })
    expect([calls.length, budget.used, destination.stats().failed]).toEqual([0, 600_000, 5])
  })

  it('fail for good where they never fit, so that they are not sent again for ever', async () => {
    const { destination, calls, budget, clock } = destinationHarness()
    const outcomes = await destination.deliver(events(10, 100_000))
    await clock.settle()
    expect(outcomes.map(({ status }) => status)).toEqual(Array(10).fill('failed'))
    expect(outcomes[9]).toMatchObject({
      failures: [{ error: { code: 'ERR_BATCH_TOO_LARGE', permanent: true } }],
    })
    expect([calls.length, budget.used, destination.stats().failed]).toEqual([0, 0, 10])
  })

  it('are not mapped beyond the cap', async () => {
    const { destination, mapped } = destinationHarness()
    await destination.deliver(events(1_000, 100_000))
    // Each goes to two streams, so that five of them fit.
    expect(mapped).toHaveLength(6)
  })

  it('do not count one that is too large for Firehose for each of its streams', async () => {
    const { destination, waiting, clock } = destinationHarness()
    const outcomes = destination.deliver([...events(1, 1_050_000), ...events(1, 10)])
    await clock.settle()
    for (const call of [...waiting]) await call.take()
    expect(await outcomes).toMatchObject([
      { status: 'failed', failures: [{ error: { code: 'ERR_RECORD_TOO_LARGE' } }, {}] },
      { status: 'delivered' },
    ])
  })
})

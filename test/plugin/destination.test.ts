import { describe, expect, it } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { createDestination } from '../../plugin/destination.js'
import { parseSettings } from '../../plugin/settings/configuration.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'

function destinationFor(settings: Partial<DestinationSettings> = {}) {
  const configuration = parseSettings({ mappedStreams: { '*': ['a', 'b'] }, ...settings })
  return createDestination(configuration, { pool: createClientPool() })
}

const UNWRITABLE = { type: 'track', userId: 1n }

describe('an event that cannot become a record', () => {
  it('fails for each of its streams', async () => {
    const destination = destinationFor()
    const error = expect.objectContaining({ code: 'ERR_UNSERIALIZABLE' })
    const failures = ['a', 'b'].map((stream) => ({ stream, error }))
    expect(await destination.deliver([UNWRITABLE])).toEqual([{ status: 'failed', failures }])
    expect(destination.stats()).toMatchObject({ failed: 1, delivered: 0 })
  })

  it('fails once, for no stream, where it could not be routed', async () => {
    const destination = destinationFor({
      transform: () => {
        throw new Error('private')
      },
    })
    const error = expect.objectContaining({ code: 'ERR_TRANSFORM' })
    expect(await destination.deliver([{ type: 'track' }])).toEqual([
      { status: 'failed', failures: [{ stream: undefined, error }] },
    ])
  })
})

describe('events that are not sent', () => {
  it('are told apart, and counted', async () => {
    const destination = destinationFor({
      mappedStreams: { page: 'a' },
      transform: (event) => (event.event === 'private' ? null : event),
    })
    const events = [
      { type: 'track' },
      { type: 'page', integrations: { All: false } },
      { type: 'page', event: 'private' },
    ]
    expect(await destination.deliver(events)).toEqual([
      { status: 'unmapped' },
      { status: 'off' },
      { status: 'dropped' },
    ])
    expect(destination.stats()).toMatchObject({ unmapped: 1, off: 1, dropped: 1, failed: 0 })
  })
})

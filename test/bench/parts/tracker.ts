import { setTimeout as wait } from 'node:timers/promises'
import { Analytics, type Context, type Plugin } from '@segment/analytics-node'
import { kinesisFirehose } from 'analytics-firehose'
import { announce, answerCommands, readOptions } from './commands.js'
import { trackEvent } from './requests.js'

/** A program that tracks events with analytics-node. */
export interface TrackerOptions {
  /** The destination: ours, the one that is built in, or one that only waits. */
  readonly plugin: 'ours' | 'segment' | 'empty'
  /** The stub. */
  readonly url: string
  /** How long the empty plugin takes for an event, in ms; 0 is no wait at all. */
  readonly pendingMs: number
}

const { plugin, url, pendingMs } = readOptions<TrackerOptions>()
const { userId, properties, context } = trackEvent('', '')
// 100,000 events of a tight loop are more than our bound on memory unless it is raised.
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024

const analytics = new Analytics({ writeKey: 'key-of-the-bench-source', host: url })
if (plugin !== 'segment') {
  await analytics.deregister('Segment.io')
  await analytics.register(plugin === 'ours' ? ours() : empty())
}

function ours(): Plugin {
  return kinesisFirehose({
    region: 'us-west-2',
    endpoint: url,
    mappedStreams: { '*': 'bench' },
    maxBufferedBytes: MAX_BUFFERED_BYTES,
  })
}

function empty(): Plugin {
  const action = async (ctx: Context) => {
    if (pendingMs > 0) await wait(pendingMs)
    return ctx
  }
  return {
    name: 'Empty',
    type: 'destination',
    version: '1.0.0',
    isLoaded: () => true,
    load: async () => {},
    track: action,
  }
}

/** Resolves when the event is delivered. */
function track(): Promise<void> {
  return new Promise((resolve, reject) => {
    // A copy of its own for each, as a program has.
    const event = { userId, event: 'Order Completed', properties: { ...properties }, context: { ...context } }
    analytics.track(event, (error) => (error === undefined ? resolve() : reject(error)))
  })
}

/** Tracks an event for each that is done, and no more than `inFlight` at once. */
async function paced({ seconds, inFlight }: { readonly seconds: number; readonly inFlight: number }) {
  const from = performance.now()
  const until = from + seconds * 1_000
  let events = 0
  const trackAgain = async () => {
    while (performance.now() < until) {
      await track()
      events++
    }
  }
  const done = Promise.all(Array.from({ length: inFlight }, trackAgain))
  await Promise.race([done, wait(seconds * 1_000)])
  // What does not fill a batch would wait for its interval.
  await Promise.all([done, analytics.flush()])
  return { events, seconds: (performance.now() - from) / 1_000 }
}

/** Tracks all of them before any can be delivered. */
async function burst({ tracks }: { readonly tracks: number }) {
  const from = performance.now()
  await Promise.all(Array.from({ length: tracks }, track))
  return { events: tracks, seconds: (performance.now() - from) / 1_000 }
}

answerCommands({ paced, burst })
announce({})

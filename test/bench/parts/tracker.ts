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

let underWay = 0
let settled = 0
let failure: unknown
let onSettled: () => void = () => {}
// Not by callbacks: analytics-node holds each back until 300 ms after its event was tracked.
analytics.on('track', settle)
analytics.on('error', ({ reason }) => {
  failure = reason
  settle()
})

function settle(): void {
  underWay--
  settled++
  onSettled()
}

function track(): void {
  underWay++
  // A copy of its own for each, as a program has.
  const event = { userId, event: 'Order Completed', properties: { ...properties }, context: { ...context } }
  analytics.track(event)
}

/** Tracks an event for each that is settled, with `inFlight` at once. */
async function paced({ seconds, inFlight }: { readonly seconds: number; readonly inFlight: number }) {
  const from = performance.now()
  const before = settled
  onSettled = track
  while (underWay < inFlight) track()
  await wait(seconds * 1_000)
  onSettled = () => {}
  if (failure !== undefined) throw failure
  // What is under way is not waited for: what does not fill a batch of Segment.io's takes 10 s.
  return { events: settled - before, seconds: (performance.now() - from) / 1_000 }
}

/** Tracks all of them before any can be delivered. */
async function burst({ tracks }: { readonly tracks: number }) {
  const from = performance.now()
  for (let i = 0; i < tracks; i++) track()
  await new Promise<void>((resolve) => {
    onSettled = () => {
      if (underWay === 0) resolve()
    }
  })
  if (failure !== undefined) throw failure
  return { events: tracks, seconds: (performance.now() - from) / 1_000 }
}

answerCommands({ paced, burst })
announce({})

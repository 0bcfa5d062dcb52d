import type { Bench } from '../bench.js'
import { type Cleanup, withCleanup } from '../cleanup.js'
import type { Sent } from '../parts/load.js'
import { writeKeyOf } from '../parts/many.js'
import type { MiddlewareOptions } from '../parts/middleware.js'
import type { Tally } from '../parts/stub.js'
import { wholeNumber } from '../report.js'
import { checkSent, startListening, startLoad, startStub } from '../rig.js'

const SECONDS = 3
/** Time for an aggregated record to become full. */
const FLUSH_INTERVAL_MS = 500

interface Bill extends Tally {
  readonly events: number
}

export const costBench: Bench = {
  name: 'cost',
  title: 'bytes that Firehose bills, each record rounded up to 5 KB',
  run: async ({ seconds = SECONDS }) => {
    const single = await bill({ aggregation: 'off' }, seconds)
    const aggregated = await bill({ aggregation: 'ndjson', flushInterval: FLUSH_INTERVAL_MS }, seconds)
    return {
      notes: [`aggregated: 'ndjson', flushInterval ${FLUSH_INTERVAL_MS} ms`],
      table: [
        ['', 'events', 'records', 'bytes an event', 'billed an event'],
        row('one event a record', single),
        row('aggregated', aggregated),
      ],
      ratios: [
        { name: 'one event a record: billed / sent', values: [single.billedBytes / single.bytes] },
        {
          name: 'aggregated: billed / sent',
          values: [aggregated.billedBytes / aggregated.bytes],
          atMost: 1.06,
        },
      ],
    }
  },
}

function row(name: string, { events, records, bytes, billedBytes }: Bill): string[] {
  return [name, ...[events, records, bytes / events, billedBytes / events].map(wholeNumber)]
}

function bill(options: Omit<MiddlewareOptions, 'endpoint'>, seconds: number): Promise<Bill> {
  return withCleanup(async (cleanup: Cleanup) => {
    const stub = await startStub({ delayMs: 5, countsBilledBytes: true }, cleanup)
    const { url } = await startListening('middleware', { endpoint: stub.url, ...options }, cleanup)
    const load = await startLoad({ eventsInBody: 100, connections: 48, writeKeys: [writeKeyOf(0)] }, cleanup)
    const sent = await load.ask<Sent>('run', { url, seconds })
    checkSent('the proxy', sent)
    return { ...(await stub.part.ask<Tally>('tally')), events: sent.events }
  })
}

import type { Bench } from '../bench.js'
import { type Cleanup, withCleanup } from '../cleanup.js'
import type { FirehoseOptions } from '../parts/firehose.js'
import { measuresTable, startStub, startSubject } from '../rig.js'
import { interleave, ratioOf, type Subject } from '../rounds.js'

export const firehoseBenches: readonly Bench[] = [
  firehoseBench({ name: 'put-record-batch', api: 'PutRecordBatch', inFlight: 4, goal: 2.5 }),
  firehoseBench({ name: 'put-record', api: 'PutRecord', inFlight: 50, goal: 1.5 }),
]

interface FirehoseBench extends Pick<FirehoseOptions, 'api' | 'inFlight'> {
  readonly name: string
  readonly goal: number
}

const SECONDS = 3

function firehoseBench({ name, api, inFlight, goal }: FirehoseBench): Bench {
  const start = (client: FirehoseOptions['client'], endpoint: string, cleanup: Cleanup): Promise<Subject> => {
    const options: FirehoseOptions = { client, api, endpoint, inFlight }
    const work = (seconds: number) => ({ command: 'work', input: { seconds } })
    return startSubject({ name: client, program: 'firehose', options, work }, cleanup)
  }
  return {
    name,
    title: `${api} alone, ${inFlight} in flight`,
    run: ({ rounds, seconds = SECONDS, delayMs = 0 }) =>
      withCleanup(async (cleanup) => {
        const { url } = await startStub({ delayMs }, cleanup)
        const subjects = [await start('ours', url, cleanup), await start('sdk', url, cleanup)]
        const measures = await interleave(subjects, { rounds, seconds })
        const compare = { of: 'ours', to: 'sdk' }
        return {
          notes: [
            `stub answers after ${delayMs} ms; ours: createDelivery(), sdk: FirehoseClient as it comes`,
          ],
          table: measuresTable(measures),
          ratios: [
            ratioOf(measures, { ...compare, figure: 'perCpuSecond', atLeast: goal }),
            ratioOf(measures, { ...compare, figure: 'perSecond' }),
          ],
        }
      }),
  }
}

import { type ClassifiedError, classify } from '../../../plugin/aws/error-classes.js'
import type { Api, PutResult, RecordAnswer } from '../../../plugin/aws/put.js'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import { FirehoseDelivery } from '../../../plugin/delivery/firehose-delivery.js'
import type { DeliverySpill } from '../../../plugin/delivery/spilling.js'
import type { MappedRecord } from '../../../plugin/mapper.js'
import { parseSettings } from '../../../plugin/settings/configuration.js'
import type { DestinationSettings } from '../../../plugin/settings/settings.js'
import { FakeClock } from '../../fake-clock.js'

/** One call as the fake Firehose sees it; it waits until it is answered. */
export interface FakeCall {
  readonly api: Api
  readonly stream: string
  /** The records as text. */
  readonly records: readonly string[]
  readonly sizes: readonly number[]
  /** How long the call may take, in ms. */
  readonly timeoutMs: number | undefined
  answer(result: PutResult): Promise<void>
  /** Takes all records. */
  take(): Promise<void>
  /** Takes the records for which `isTaken` says so, and throttles the others. */
  takeSome(isTaken: (record: string, index: number) => boolean, errorCode?: string): Promise<void>
  refuse(name: string, message?: string): Promise<void>
}

/** A delivery on a fake clock whose calls wait to be answered by the test. */
export function harness(
  settings: Partial<DestinationSettings> = {},
  spill?: DeliverySpill,
  owner?: () => string,
) {
  const clock = new FakeClock()
  const waiting: FakeCall[] = []
  const calls: FakeCall[] = []
  const notices: string[] = []
  const note = (level: string) => (text: string) => notices.push(`${level}: ${text}`)
  const configuration = parseSettings({
    region: 'us-east-1',
    mappedStreams: { '*': 's' },
    logger: { info: note('info'), warn: note('warn'), error: note('error') },
    ...settings,
  })
  const budget = new ByteBudget(configuration.maxBufferedBytes)
  let nextId = 0
  const accept = (): RecordAnswer => ({ recordId: `id-${nextId++}` })

  const put = (
    api: Api,
    stream: string,
    data: readonly Uint8Array[],
    timeoutMs?: number,
  ): Promise<PutResult> =>
    new Promise((resolve) => {
      const answer = async (result: PutResult) => {
        waiting.splice(waiting.indexOf(call), 1)
        resolve(result)
        await clock.settle()
      }
      const records = data.map((bytes) => Buffer.from(bytes).toString())
      const call: FakeCall = {
        api,
        stream,
        records,
        sizes: data.map((bytes) => bytes.byteLength),
        timeoutMs,
        answer,
        take: () => answer({ answers: records.map(accept) }),
        takeSome: (isTaken, errorCode = 'ServiceUnavailableException') =>
          answer({
            answers: records.map((record, i) =>
              isTaken(record, i) ? accept() : { errorCode, errorMessage: 'Slow down.' },
            ),
          }),
        refuse: (name, message = name) => answer({ refusal: refusal(name, message) }),
      }
      waiting.push(call)
      calls.push(call)
    })

  const delivery = new FirehoseDelivery(configuration, { put, budget, clock, spill, owner })
  return { delivery, clock, budget, calls, waiting, notices }
}

function refusal(name: string, message: string): ClassifiedError & { error: Error } {
  const error = Object.assign(new Error(message), { name })
  return { ...classify(error), error }
}

export function record(text: string, stream = 's'): MappedRecord {
  return { stream, data: Buffer.from(`${text}\n`) }
}

export function records(count: number, stream = 's'): MappedRecord[] {
  return Array.from({ length: count }, (_, i) => record(`r${i}`, stream))
}

export function sized(bytes: number, stream = 's'): MappedRecord {
  return { stream, data: Buffer.alloc(bytes, 'x') }
}

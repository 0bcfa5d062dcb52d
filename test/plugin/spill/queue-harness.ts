import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { CreateQueueCommand, type QueueAttributeName, SQSClient } from '@aws-sdk/client-sqs'
import type { Spill } from '../../../plugin/spill/spill.js'
import { openSpillQueue } from '../../../plugin/spill/spill-queue.js'
import { type LocalAws, type LocalAwsCall, startLocalAws } from '../../../server/local-aws/index.js'
import { FakeClock } from '../../fake-clock.js'
import { silentLogger } from './harness.js'

const BEAT_MS = 30_000
/** Until what a process held that is no more is there for others. */
export const UNTIL_VISIBLE_MS = 90_000
/** The waits between tries are shorter than this, what guards a call is longer. */
const LONGEST_PAUSE_MS = 1_000
/** What a test waits for at most, in turns of the event loop. */
const MAX_TURNS = 200_000

const REGION = 'us-west-2'
/** As the SDK reads them from the environment, for the client that the spill makes. */
const CREDENTIALS = { accessKeyId: 'AKIAANYONE0000000000', secretAccessKey: 'any' }

export interface QueueHarness {
  readonly aws: LocalAws
  readonly clock: FakeClock
  readonly queueUrl: string
  readonly client: SQSClient
  readonly calls: LocalAwsCall[]
  readonly logger: ReturnType<typeof silentLogger>
  open(): Promise<Spill>
  /** Waits, running the waits between tries meanwhile. */
  settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>>
  /** Moves time on by a beat, and waits until all spills have done theirs. */
  beat(): Promise<void>
  /** How often an action was called. */
  count(action: string): number
  until(condition: () => boolean): Promise<void>
}

const cleanUps: (() => unknown)[] = []

export async function cleanUpQueues(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
}

/** Spills on a queue of a local AWS, and the clock they all share. */
export async function queueHarness(
  attributes: Partial<Record<QueueAttributeName, string>> = { MessageRetentionPeriod: '1209600' },
): Promise<QueueHarness> {
  const clock = new FakeClock()
  const logger = silentLogger()
  const calls: LocalAwsCall[] = []
  const dir = await mkdtemp(join(tmpdir(), 'spill-queue-'))
  const aws = await startLocalAws({
    dir,
    now: () => clock.wallTime(),
    maxClockSkewMs: Number.POSITIVE_INFINITY,
    onCall: (call) => calls.push(call),
  })
  const client = new SQSClient({
    endpoint: aws.endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    maxAttempts: 1,
  })
  cleanUps.push(async () => {
    client.destroy()
    await aws.close()
    await rm(dir, { recursive: true, force: true })
  })
  const { QueueUrl: queueUrl = '' } = await client.send(
    new CreateQueueCommand({ QueueName: 'spill', Attributes: attributes }),
  )
  const count = (action: string) => calls.filter((call) => call.action === action).length
  let opened = 0

  async function until(condition: () => boolean): Promise<void> {
    for (let turns = 0; !condition(); turns++) {
      if (turns === MAX_TURNS) throw new Error('Waited for what does not happen')
      const nextTimerIn = clock.nextTimerIn
      if (nextTimerIn !== undefined && nextTimerIn <= LONGEST_PAUSE_MS) await clock.advance(nextTimerIn)
      else await turnOfTheLoop()
    }
  }

  return {
    aws,
    clock,
    queueUrl,
    client,
    calls,
    logger,
    count,
    until,
    async open() {
      opened++
      return openSpillQueue({ queueUrl, region: REGION, clock, logger, client, waitSeconds: 0 })
    },
    async settled<T>(work: Promise<T>) {
      let isSettled = false
      const settling = Promise.allSettled([work]).finally(() => {
        isSettled = true
      })
      await until(() => isSettled)
      return (await settling)[0]
    },
    async beat() {
      const looks = count('GetQueueAttributes') + opened
      await clock.advance(BEAT_MS)
      // A beat ends by its spill setting the timer of the next; until then it has one that guards a call.
      await until(
        () =>
          count('GetQueueAttributes') >= looks && clock.timers === opened && clock.nextTimerIn === BEAT_MS,
      )
    },
  }
}

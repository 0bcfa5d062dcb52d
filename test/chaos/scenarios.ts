import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Fault } from '../../server/local-aws/index.js'
import { ROLES } from './chaos-aws.js'
import { STREAMS } from './events.js'
import type { Step, When } from './orders.js'
import type { World } from './world.js'

/** Something that goes wrong; `begin` gives what ends it. */
export interface Scenario {
  readonly name: string
  /** Two of the same part never go wrong at a time. */
  readonly part: 'aws' | 'role' | 'stream' | 'process' | 'clock' | `fault ${string}`
  begin(world: World): Promise<() => void | Promise<void>>
}

/** Where the process can be killed. */
const PHASES: Readonly<Record<string, readonly Step[]>> = {
  'while it spills': ['write', 'fsync', 'rename', 'fsync of the directory'],
  'while it claims': ['claim', 'read', 'give back'],
  'while it removes': ['delete'],
  'while it writes dead letters': ['write of dead letters', 'fsync of dead letters'],
}
const WHENS: readonly When[] = ['before', 'after']

/** How far its clock jumps, there and back again. */
const JUMPS_MS = {
  'an hour ahead': 3_600_000,
  'an hour back': -3_600_000,
  'seconds ahead': 4_000,
  'seconds back': -4_000,
}

/** Where nothing of the kind happens, it is killed all the same. */
const LONGEST_WAIT_MS = 2_000

function fault(name: string, fault: Fault): Scenario {
  return { name, part: `fault ${name}`, begin: async ({ aws }) => aws.fault(fault) }
}

/** Credentials are asked for only when there are none. */
function stsFault(name: string, fault: Fault): Scenario {
  return {
    name,
    part: `fault ${name}`,
    async begin({ aws }) {
      const recover = aws.fault({ ...fault, action: 'AssumeRole' })
      aws.expireCredentials()
      return recover
    },
  }
}

const BATCH = { action: 'PutRecordBatch' }

export const AWS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'Firehose and STS refuse connections',
    part: 'aws',
    async begin({ aws }) {
      await aws.goDown()
      return () => aws.comeBack()
    },
  },
  fault('Firehose hangs', { kind: 'hang', ...BATCH }),
  fault('Firehose cuts connections', { kind: 'disconnect', ...BATCH }),
  fault('Firehose takes and cuts before the answer', { kind: 'disconnect-after', ...BATCH }),
  fault('Firehose takes and cuts within the answer', { kind: 'disconnect-after', cut: 'within', ...BATCH }),
  fault('Firehose fails', { kind: 'error', code: 'InternalFailure', status: 500, ...BATCH }),
  fault('Firehose throttles all calls', { kind: 'throttle', ...BATCH }),
  fault('Firehose throttles most records', { kind: 'throttle-records', share: 0.8 }),
  fault('Firehose answers garbage', { kind: 'garbage', ...BATCH }),
  fault('Firehose answers half', { kind: 'truncated', ...BATCH }),
  fault('Firehose leaves out an answer', { kind: 'wrong-responses', responses: 'short', share: 0.7 }),
  stsFault('STS hangs', { kind: 'hang' }),
  stsFault('STS cuts connections', { kind: 'disconnect' }),
  stsFault('STS answers garbage', { kind: 'garbage' }),
  stsFault('STS fails', { kind: 'error', code: 'InternalFailure', status: 500 }),
  {
    name: 'a role is revoked',
    part: 'role',
    begin: async ({ aws, random }) => aws.revokeRole(random.pick(ROLES)),
  },
  {
    name: 'a stream is deleted',
    part: 'stream',
    begin: async ({ aws, random }) => aws.deleteStream(random.pick(STREAMS)),
  },
]

export const CLOCK_SCENARIOS = Object.entries(JUMPS_MS).map(
  ([jump, clockOffsetMs]): Scenario => ({
    name: `the clock jumps ${jump}`,
    part: 'clock',
    async begin({ serving }) {
      serving.order({ clockOffsetMs })
      return () => serving.order({ clockOffsetMs: 0 })
    },
  }),
)

export const PROCESS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'the process is killed',
    part: 'process',
    async begin({ serving, random }) {
      await wait(random.between(0, 500))
      await serving.kill()
      await serving.restart()
      return () => {}
    },
  },
  ...Object.entries(PHASES).map(
    ([phase, steps]): Scenario => ({
      name: `the process is killed ${phase}`,
      part: 'process',
      async begin({ serving, random }) {
        const at = { step: random.pick(steps), when: random.pick(WHENS), nth: random.between(1, 5) }
        serving.order({ at })
        await Promise.race([serving.died(), wait(LONGEST_WAIT_MS)])
        await serving.kill()
        serving.order({ at: undefined })
        await serving.restart()
        return () => {}
      },
    }),
  ),
  {
    name: 'the process is asked to end',
    part: 'process',
    async begin({ serving }) {
      const code = await serving.terminate()
      if (code !== 0) throw new Error(`It ended with ${code} at SIGTERM: ${serving.log.slice(-2_000)}`)
      await serving.restart()
      return () => {}
    },
  },
  {
    name: 'the spill directory is a file',
    part: 'process',
    async begin({ cwd, spillDirectory }) {
      const file = join(cwd, 'a-file')
      writeFileSync(file, '')
      point(spillDirectory, file)
      return () => point(spillDirectory, join(cwd, 'spill-on-disk'))
    },
  },
]

/** Swaps a link in one step. */
function point(link: string, to: string): void {
  symlinkSync(to, `${link}.new`)
  renameSync(`${link}.new`, link)
}

import { expect } from '@jest/globals'
import type { World } from './world.js'

export const SEED = Number(process.env['CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** Of the long form; there is a short one in any case. */
export const MINUTES = Number(process.env['CHAOS_MINUTES'] ?? 0)

/** To whoever watches: jest keeps what tests write to the console until they are over. */
export function tell(line: string): void {
  process.stderr.write(`chaos: ${line}\n`)
}

/** Waits until all is out of the spill, with its faults gone and its clients stopped, and looks for what is not there. */
export async function expectNothingLost(world: World): Promise<void> {
  const { aws, serving, load } = world
  await world.settled()
  const { missing, neverSent, duplicates } = world.findings()
  const answers = [...load.answers].map(([status, count]) => `${count} × ${status || 'none'}`).join(', ')
  tell(
    `${load.acked.size} of ${load.sent.size} events acknowledged (answers: ${answers}), ${missing.length} missing; ` +
      `${duplicates.count} duplicates: ${duplicates.ofResent} of requests that the client sent again, ` +
      `${duplicates.count - duplicates.ofResent} of calls and files whose end was not known; ` +
      `${serving.restarts} restarts, ${serving.peakMegabytes} MB at most`,
  )
  if (missing.length > 0)
    tell(`still in the spill: ${world.spilled().length} files; logged:\n${serving.log.slice(-20_000)}`)
  expect({ missing, neverSent, broken: aws.broken, refusals: load.refusals }).toEqual({
    missing: [],
    neverSent: [],
    broken: [],
    refusals: [],
  })
  expect(world.spilled()).toEqual([])
  expect(await serving.isIdle()).toBe(true)
  expect(serving.memoryShare).toBeLessThan(1)
}

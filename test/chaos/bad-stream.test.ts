import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { tempDir } from '../server/temp-dir.js'
import { eventOf, STREAMS } from './events.js'
import { Load } from './load.js'
import { Random } from './random.js'
import { WRITE_KEYS } from './serving.js'
import { SEED, tell } from './verdict.js'
import { World } from './world.js'

const WINDOW_MS = 2_000
const BAD = 'page_views'
const GOOD = STREAMS.filter((stream) => stream !== BAD)
/** Of the calm rate. What shares two processors with other tests is not measured exactly. */
const LEAST_SHARE = 0.5

let world: World
const loads: Load[] = []

afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.stop()))
  await world.end()
})

const takenOfGood = () => GOOD.reduce((sum, stream) => sum + world.aws.taken.total(stream), 0)

/** Records a second that the three took in a while. */
async function rate(): Promise<number> {
  const [before, start] = [takenOfGood(), performance.now()]
  await wait(WINDOW_MS)
  return ((takenOfGood() - before) * 1_000) / (performance.now() - start)
}

describe('a bad stream', () => {
  it('does not slow the three others', async () => {
    const random = new Random(SEED)
    const mappedStreams = STREAMS.map((stream) => ({ event: stream, stream }))
    world = await World.start({ random, cwd: tempDir(), mappedStreams })
    for (const stream of STREAMS) {
      const makeEvent = (id: string) => eventOf(stream, `${stream}-${id}`)
      const options = { url: world.serving.url, writeKeys: WRITE_KEYS, random, connections: 2, makeEvent }
      loads.push(new Load(options).start())
    }
    await wait(WINDOW_MS)
    const calm = await rate()
    const struck: Record<string, number> = {}
    const during = async (name: string, recover: () => void) => {
      struck[name] = (await rate()) / calm
      recover()
    }
    await during('throttled', world.aws.fault({ kind: 'throttle', stream: BAD }))
    await during('hanging', world.aws.fault({ kind: 'hang', stream: BAD }))
    await during('missing', world.aws.deleteStream(BAD))
    const shares = Object.entries(struck).map(([name, share]) => `${name} ${share.toFixed(2)}`)
    tell(`the three others took ${Math.round(calm)} records/s; with one stream ${shares.join(', ')} of that`)
    expect(calm).toBeGreaterThan(0)
    for (const share of Object.values(struck)) expect(share).toBeGreaterThan(LEAST_SHARE)
  }, 60_000)
})

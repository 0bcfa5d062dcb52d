import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type Bug, type CarelessServer, startCarelessServer } from './careless-server.js'
import { check } from './check.js'
import { Load } from './load.js'
import { Random } from './random.js'

let server: CarelessServer
let load: Load

afterEach(async () => {
  await load.stop()
  await server.kill()
})

/** What the check finds of a server that has a bug, after some load. */
async function findingsOf(bug: Bug) {
  server = await startCarelessServer(bug)
  load = new Load({ url: server.url, writeKeys: ['key'], random: new Random(7), connections: 4 }).start()
  while (load.acked.size < 300) await turn()
  await server.kill()
  await load.stop()
  const { sent, acked, resent } = load
  return check({ sent, acked, resent, taken: server.taken, deadLettered: server.deadLettered })
}

describe('the check of what was acknowledged', () => {
  it('finds nothing where all is well', async () => {
    expect(await findingsOf('none')).toMatchObject({ missing: [], neverSent: [] })
    expect(load.answers.get(503)).toBeGreaterThan(0)
  })

  it.each<Bug>(['acks before durable', 'drops on retry', 'acks a refused part'])(
    'finds what is lost by a server that %s',
    async (bug) => {
      const { missing, neverSent } = await findingsOf(bug)
      expect(missing.length).toBeGreaterThan(0)
      expect(neverSent).toEqual([])
    },
  )

  it('finds what a server invents', async () => {
    expect((await findingsOf('invents')).neverSent.length).toBeGreaterThan(0)
  })
})

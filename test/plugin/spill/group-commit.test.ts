import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { GroupCommit, type GroupCommitHooks, type Waiting } from '../../../plugin/spill/group-commit.js'

interface Item {
  readonly id: string
}

/** Rounds that end when they are told to. */
function harness(roundSize?: GroupCommitHooks<Item>['roundSize']) {
  const rounds: string[] = []
  const ends: { resolve(): void; reject(error: Error): void }[] = []
  const group = new GroupCommit<Item>({
    async commit(round: readonly Waiting<Item>[]) {
      rounds.push(round.map(({ id }) => id).join(''))
      await new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))
      for (const { id, resolve, reject } of round)
        if (id === 'x') reject(new Error('x failed'))
        else if (id !== '?') resolve()
    },
    ...(roundSize && { roundSize }),
  })
  const add = (ids: string) => Promise.allSettled([...ids].map((id) => group.add({ id })))
  const end = async (error?: Error) => {
    const { resolve, reject } = ends.shift() ?? {}
    if (error) reject?.(error)
    else resolve?.()
    await turnOfTheLoop()
  }
  return { rounds, group, add, end }
}

describe('a group commit', () => {
  it('makes one round of what comes together, and the next of what comes meanwhile', async () => {
    const { rounds, add, end } = harness()
    const first = add('ab')
    await turnOfTheLoop()
    const second = add('c')
    const third = add('d')
    await turnOfTheLoop()
    expect(rounds).toEqual(['ab'])
    await end()
    await first
    expect(rounds).toEqual(['ab', 'cd'])
    await end()
    await Promise.all([second, third])
  })

  it('takes as many at a time as fit', async () => {
    const { rounds, add, end } = harness(() => 2)
    const adding = add('abc')
    await turnOfTheLoop()
    await end()
    await end()
    await adding
    expect(rounds).toEqual(['ab', 'c'])
  })

  it('fails those alone that are rejected', async () => {
    const { add, end } = harness()
    const adding = add('axb')
    await turnOfTheLoop()
    await end()
    expect((await adding).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('takes nothing as committed that it is told nothing of', async () => {
    const { add, end } = harness()
    const adding = add('a?')
    await turnOfTheLoop()
    await end()
    expect((await adding).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  it('fails all of a round that throws, and goes on with the next', async () => {
    const { rounds, add, end } = harness()
    const failing = add('ab')
    await turnOfTheLoop()
    const next = add('c')
    await end(new Error('no memory'))
    expect(await failing).toMatchObject([
      { reason: { message: 'no memory' } },
      { reason: { message: 'no memory' } },
    ])
    await end()
    expect(await next).toMatchObject([{ status: 'fulfilled' }])
    const later = add('d')
    await turnOfTheLoop()
    await end()
    await later
    expect(rounds).toEqual(['ab', 'c', 'd'])
  })

  it('is idle when nothing waits any more', async () => {
    const { group, add, end } = harness()
    await group.idle()
    void add('a')
    await turnOfTheLoop()
    void add('b')
    let isIdle = false
    const idle = group.idle().then(() => {
      isIdle = true
    })
    await end()
    expect(isIdle).toBe(false)
    await end()
    await idle
  })
})

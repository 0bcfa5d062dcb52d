import { describe, expect, it } from '@jest/globals'
import { finish, type Slices } from '../../plugin/slices.js'
import { Turns } from '../../plugin/turns.js'

const SLICE_MS = 1
const LONG = 1024 * 1024

/** Time that passes only while slices run, and a loop whose turns the test takes. */
class Loop {
  ms = 0
  readonly done: string[] = []
  readonly #deferred: (() => void)[] = []
  readonly turns = new Turns({
    now: () => this.ms,
    defer: (callback) => {
      this.#deferred.push(callback)
    },
  })

  /** How long the longest of all turns to come holds the loop. */
  async runOut(): Promise<number> {
    let longest = 0
    while (this.#deferred.length > 0) {
      const before = this.ms
      for (const callback of this.#deferred.splice(0)) callback()
      longest = Math.max(longest, this.ms - before)
      await Promise.resolve()
    }
    return longest
  }
  *work(name: string, slices: number): Slices<string> {
    for (let i = 0; i < slices; i++) {
      this.ms += SLICE_MS
      this.done.push(name)
      yield
    }
    return name
  }
}

describe('work in turns', () => {
  it('is done at once, without a promise, where it is short', () => {
    const loop = new Loop()
    expect(loop.turns.run(loop.work('short', 3), 1_000)).toBe('short')
    expect(() =>
      loop.turns.run(
        // biome-ignore lint/correctness/useYield: it fails before its first pause.
        (function* (): Slices<void> {
          throw new Error('broken')
        })(),
        1_000,
      ),
    ).toThrow('broken')
  })

  it('lets the loop have its turns where it is long, and is done one after the other', async () => {
    const loop = new Loop()
    const first = loop.turns.run(loop.work('first', 100), LONG)
    const second = loop.turns.run(loop.work('second', 100), LONG)
    const begun = loop.done.length
    expect(begun).toBeLessThan(20)
    expect(await loop.runOut()).toBeLessThan(20)
    expect(await Promise.all([first, second])).toEqual(['first', 'second'])
    const rest = loop.done.slice(begun)
    expect(rest.lastIndexOf('first')).toBeLessThan(rest.indexOf('second'))
  })

  it('lets short work go before long work that began earlier', async () => {
    const loop = new Loop()
    const long = loop.turns.run(loop.work('long', 1_000), LONG)
    const short = loop.turns.run(loop.work('short', 50), 1_000)
    const ended: unknown[] = []
    for (const it of [long, short]) void Promise.resolve(it).then((name) => ended.push(name))
    await loop.runOut()
    expect(ended).toEqual(['short', 'long'])
  })

  it('goes on with the next work where one fails later', async () => {
    const loop = new Loop()
    const failing = loop.turns.run(
      (function* (): Slices<void> {
        yield* loop.work('failing', 50)
        throw new Error('broken')
      })(),
      LONG,
    )
    const next = loop.turns.run(loop.work('next', 50), LONG)
    const failed = expect(failing).rejects.toThrow('broken')
    await loop.runOut()
    await failed
    expect(await next).toBe('next')
  })

  it('comes to the same result as all at once', () => {
    const loop = new Loop()
    expect(finish(loop.work('whole', 100))).toBe('whole')
    expect(loop.done).toHaveLength(100)
  })
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Spill, SpillClaim } from '../../../plugin/spill/spill.js'
import type { FakeClock } from '../../fake-clock.js'
import { APP, drain, harness, idsOf, records, UNTIL_DEAD_MS, WEB } from './harness.js'
import type { MemoryDisk } from './memory-disk.js'

type Operation =
  | { readonly kind: 'append'; readonly target: 'WEB' | 'APP'; readonly count: number }
  | { readonly kind: 'claim'; readonly target: 'WEB' | 'APP' }
  | { readonly kind: 'done' }
  | { readonly kind: 'release'; readonly keepEvery: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'beat' }

const TARGETS = { WEB, APP }
const target = fc.constantFrom<'WEB' | 'APP'>('WEB', 'APP')
const operations = fc.array(
  fc.oneof<fc.Arbitrary<Operation>[]>(
    fc.record({ kind: fc.constant('append' as const), target, count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('claim' as const), target }),
    fc.record({ kind: fc.constant('done' as const) }),
    fc.record({ kind: fc.constant('release' as const), keepEvery: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ kind: fc.constant('settle' as const) }),
    fc.record({ kind: fc.constant('beat' as const) }),
  ),
  { minLength: 3, maxLength: 25 },
)

/** What a run was told, by record. */
class Ledger {
  readonly appended = new Set<string>()
  readonly resolved = new Set<string>()
  /** Told to be delivered; from then on it may be gone. */
  readonly delivered = new Set<string>()
  /** Known to be removed. */
  readonly gone = new Set<string>()
  #next = 0

  take(count: number): string[] {
    const ids = Array.from({ length: count }, () => `r${this.#next++}`)
    for (const id of ids) this.appended.add(id)
    return ids
  }
}

/** Does the operations without waiting for them: after the cut they never end. */
async function work(spill: Spill, plan: readonly Operation[], clock: FakeClock, ledger: Ledger) {
  const claims: SpillClaim[] = []
  for (const operation of plan) {
    if (operation.kind === 'append') {
      const ids = ledger.take(operation.count)
      void spill.append(TARGETS[operation.target], records(...ids)).then(() => {
        for (const id of ids) ledger.resolved.add(id)
      })
    } else if (operation.kind === 'claim') {
      void spill.claim(TARGETS[operation.target]).then((claim) => claim && claims.push(claim))
    } else if (operation.kind === 'settle') await clock.settle()
    else if (operation.kind === 'beat') await clock.advance(5_000)
    else {
      const claim = claims.shift()
      if (claim) end(claim, operation, ledger)
    }
  }
  await clock.settle()
}

function end(claim: SpillClaim, operation: Operation, ledger: Ledger) {
  const ids = idsOf(claim.records)
  const left =
    operation.kind === 'release' ? [...ids.keys()].filter((index) => index % operation.keepEvery === 0) : []
  const delivered = ids.filter((_, index) => !left.includes(index))
  for (const id of delivered) ledger.delivered.add(id)
  void (operation.kind === 'done' ? claim.done() : claim.release(left)).then(() => {
    for (const id of delivered) ledger.gone.add(id)
  })
}

/** Runs a plan in a process that dies before step `cut` of the disk, or at the end. */
async function runUntil(cut: number, plan: readonly Operation[]) {
  const { disk, clock, open } = harness()
  const ledger = new Ledger()
  let steps = 0
  const died = new Promise<never>(() => {})
  let isOver = false
  const opening = open(() => (isOver || ++steps > cut ? died : undefined))
  const spill = await Promise.race([opening, clock.settle().then(() => undefined)])
  if (spill) await work(spill, plan, clock, ledger)
  isOver = true
  return { disk, clock, ledger, steps }
}

/** What a new process finds: at once, and when the dead one is known to be dead. */
async function recover(disk: MemoryDisk, clock: FakeClock) {
  const spill = await harness({ disk, clock }).open()
  const found = await drain(spill, WEB, APP)
  await clock.advance(UNTIL_DEAD_MS)
  found.push(...(await drain(spill, WEB, APP)))
  const left = disk.files('/var/spill').filter((name) => name.includes('.ndjson'))
  const { records: stillThere } = spill.stats()
  await spill.close()
  return { found, left, stillThere }
}

function expectNothingLost(found: readonly string[], { appended, resolved, delivered }: Ledger) {
  const lost = [...resolved].filter((id) => !delivered.has(id) && !found.includes(id))
  expect(lost).toEqual([])
  expect(found.filter((id) => !appended.has(id))).toEqual([])
}

describe('a spill whose process dies at any step', () => {
  const cut = fc.integer({ min: 0, max: 150 })

  it('loses nothing that was appended, keeps nothing that was done, and leaves no litter', async () => {
    await fc.assert(
      fc.asyncProperty(operations, cut, async (plan, at) => {
        const { disk, clock, ledger } = await runUntil(at, plan)
        const { found, left, stillThere } = await recover(disk, clock)
        expectNothingLost(found, ledger)
        expect(found.filter((id) => ledger.gone.has(id))).toEqual([])
        expect({ left, stillThere }).toEqual({ left: [], stillThere: 0 })
      }),
      { numRuns: 300 },
    )
  })

  it('loses nothing in a power cut either, whatever the disk kept of what was not synced', async () => {
    const choices = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }))
    await fc.assert(
      fc.asyncProperty(operations, cut, choices, async (plan, at, choice) => {
        const { disk, clock, ledger } = await runUntil(at, plan)
        const { found } = await recover(
          disk.afterPowerCut(() => choice.next().value ?? 0),
          clock,
        )
        expectNothingLost(found, ledger)
      }),
      { numRuns: 300 },
    )
  })

  it('loses nothing at each step of one life in turn', async () => {
    const life: Operation[] = [
      { kind: 'append', target: 'WEB', count: 3 },
      { kind: 'append', target: 'APP', count: 2 },
      { kind: 'settle' },
      { kind: 'claim', target: 'WEB' },
      { kind: 'claim', target: 'APP' },
      { kind: 'settle' },
      { kind: 'release', keepEvery: 2 },
      { kind: 'done' },
      { kind: 'append', target: 'WEB', count: 1 },
      { kind: 'settle' },
      { kind: 'claim', target: 'WEB' },
      { kind: 'settle' },
      { kind: 'release', keepEvery: 1 },
      { kind: 'beat' },
    ]
    const { steps: all } = await runUntil(Number.POSITIVE_INFINITY, life)
    expect(all).toBeGreaterThan(45)
    for (let at = 0; at <= all; at++)
      for (const kept of [0, 0.5, 0.999]) {
        const { disk, clock, ledger } = await runUntil(at, life)
        const { found } = await recover(
          disk.afterPowerCut(() => kept),
          clock,
        )
        expectNothingLost(found, ledger)
      }
  })
})

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import type { HttpProblem } from '../../../server/http/http-problem.js'
import type { IncomingBody } from '../../../server/http/incoming-body.js'
import { MAX_BODY_BYTES } from '../../../server/http/limits.js'
import { MemoryAdmission } from '../../../server/http/memory-admission.js'
import { FakeClock } from '../../fake-clock.js'

const MIB = 1024 * 1024

interface Sender {
  readonly source?: string
  readonly network?: string
  readonly isWhole?: boolean
}

function harness(capacity = 64 * MIB) {
  const clock = new FakeClock()
  const budget = new ByteBudget(capacity)
  const admission = new MemoryAdmission(budget, clock)
  const problems = new Map<IncomingBody, HttpProblem>()
  const receive = ({ source, network, isWhole = false }: Sender = {}) => {
    const body = admission.receive({ source, network: () => network, isWhole: () => isWhole })
    body.onRevoked((problem) => problems.set(body, problem))
    return body
  }
  const many = (count: number, bytes: number, from: Sender = {}) =>
    Array.from({ length: count }, () => {
      const body = receive(from)
      return { body, isTaken: body.take(bytes) }
    })
  const held = (bodies: readonly { body: IncomingBody }[]) =>
    bodies.reduce((sum, { body }) => sum + body.held, 0)
  return { clock, budget, admission, problems, receive, many, held }
}

const network = '203.0.113.7'

/** All of a limit, but for what was made room for others at its end. */
function expectAlmost(bytes: number, limit: number): void {
  expect(bytes).toBeLessThanOrEqual(limit)
  expect(bytes).toBeGreaterThan(limit * 0.85)
}

describe('the memory of bodies that are coming', () => {
  it('goes to senders who are not known up to a quarter, and up to half of that to one network', () => {
    const { many, held } = harness()
    const near = many(64, MIB, { network })
    expectAlmost(held(near), 8 * MIB)
    const far = Array.from({ length: 64 }, (_, i) => many(1, MIB, { network: `198.51.100.${i}` })).flat()
    expectAlmost(held([...near, ...far]), 16 * MIB)
  })

  it('goes to one source up to half, and leaves room to the others and for records', () => {
    const { budget, many, held } = harness()
    const one = many(100, MIB, { source: 'one', network })
    expectAlmost(held(one), 32 * MIB)
    const other = many(100, MIB, { source: 'other', network })
    expectAlmost(held([...one, ...other]), 48 * MIB)
    many(100, MIB, { network })
    expectAlmost(budget.used, 48 * MIB)
  })

  it.each([
    ['of no known sender', {}],
    ['of the same source', { source: 'one' }],
    ['of another source', { source: 'other' }],
  ])('is had by a small body at once, though somebody sends slowly over many connections: %s', (_, given) => {
    const { many, receive, problems } = harness()
    for (const source of ['one', undefined]) many(64, MIB, { ...(source && { source }), network })
    many(64, MIB, { source: 'third', network: '192.0.2.1' })
    const honest = receive({ ...given, network })
    expect(honest.take(1_000)).toBe(true)
    expect(problems.has(honest)).toBe(false)
    expect([...problems.values()].at(-1)).toMatchObject({
      status: 503,
      code: 'memory_full',
      headers: { 'Retry-After': '5' },
    })
  })

  it('is had by a batch of the largest usual size too', async () => {
    const { clock, many, receive, problems } = harness()
    const [justBegun] = many(1, 0, { network })
    many(64, MIB, { network })
    expect(problems.has(justBegun?.body as IncomingBody)).toBe(false)
    await clock.advance(100)
    const honest = receive({ network })
    for (let i = 0; i < 32; i++) expect(honest.take(16 * 1024)).toBe(true)
    expect(problems.has(honest)).toBe(false)
  })

  it('is made room in by those who have had most of it for longest', async () => {
    const { clock, receive, problems } = harness()
    const slow = receive({ network })
    slow.take(3 * MIB)
    await clock.advance(1_000)
    const large = receive({ network })
    large.take(4 * MIB)
    expect(receive({ network }).take(2 * MIB)).toBe(true)
    expect([...problems.keys()]).toEqual([slow])
  })

  it('is not taken from slow senders by somebody who floods from a few networks', async () => {
    const { clock, receive, many, problems } = harness()
    const phones = Array.from({ length: 100 }, (_, i) => {
      const phone = receive({ network: `2001:db8:0:${i}::/64` })
      phone.take(20_000)
      return phone
    })
    await clock.advance(5_000)
    for (const flooding of [network, '192.0.2.1', '192.0.2.2']) many(500, 64 * 1024, { network: flooding })
    expect(phones.filter((phone) => problems.has(phone))).toEqual([])
  })

  it('is not taken from a source because another is flooded from many networks', () => {
    const { many, receive, problems, held } = harness()
    const busy = many(30, MIB / 2, { source: 'busy', network })
    for (let i = 0; i < 330; i++) many(1, 100_000, { source: 'flooded', network: `198.51.100.${i}` })
    expect(problems.size).toBe(0)
    const honest = receive({ source: 'third', network: '192.0.2.1' })
    expect(honest.take(4 * MIB)).toBe(true)
    expect(held(busy)).toBe(15 * MIB)
  })

  it('is taken one by one from senders who have no address', () => {
    const { many, held, receive } = harness()
    expect(held(many(64, MIB))).toBe(16 * MIB)
    expect(receive().take(1_000)).toBe(true)
  })

  it.each([5, 10, 64])(
    'fits the largest request of a sender who is not known, alone, in %d MiB',
    (capacity) => {
      const { receive, budget } = harness(capacity * MIB)
      const body = receive({ network })
      expect(body.take(MAX_BODY_BYTES)).toBe(true)
      expect(body.take(MAX_BODY_BYTES)).toBe(capacity >= 10)
      body.release()
      expect(budget.used).toBe(0)
    },
  )

  it('is the own of a body that is whole: nobody takes it away, and it counts for no share', () => {
    const { admission, many, receive, problems, budget } = harness()
    const whole = receive({ network })
    whole.take(4 * MIB)
    whole.settle()
    expect([admission.receivingBytes, budget.used]).toEqual([0, 4 * MIB])
    many(64, MIB, { network })
    expect([problems.has(whole), whole.held, admission.receivingBytes]).toEqual([false, 4 * MIB, 8 * MIB])
    whole.release()
    expect(budget.used).toBe(8 * MIB)
  })

  it('counts for no share in a small body that has arrived whole, until it turns out to be larger inside', () => {
    const { receive, budget, admission } = harness()
    const body = receive({ network, isWhole: true })
    body.take(64 * 1024)
    expect([budget.used, admission.receivingBytes]).toEqual([64 * 1024, 0])
    body.take(MIB)
    expect(admission.receivingBytes).toBe(64 * 1024 + MIB)
    body.release()
    expect([budget.used, admission.receivingBytes]).toEqual([0, 0])
  })

  it('is given back in part as well, by whoever found it too much', () => {
    const { receive, budget, admission } = harness()
    const body = receive({ network })
    body.take(3 * MIB)
    body.giveBack(MIB)
    expect([budget.used, admission.receivingBytes, body.held]).toEqual([2 * MIB, 2 * MIB, 2 * MIB])
    body.settle()
    body.shrinkTo(1_000)
    expect([budget.used, admission.receivingBytes]).toEqual([1_000, 0])
  })

  it('is refused once it was taken away, and given back once', () => {
    const { many, budget } = harness()
    const [first] = many(64, MIB, { network })
    expect(first?.body.take(1)).toBe(false)
    first?.body.giveBack(MIB)
    expect(() => first?.body.settle()).toThrow('others needed its memory')
    first?.body.release()
    expect(budget.used).toBe(8 * MIB)
  })

  it('goes to records that need it, from those who have had much of it for long, and from no others', async () => {
    const { clock, budget, receive, problems, many } = harness()
    const stalled = many(16, MIB, { source: 'one', network }).map(({ body }) => body)
    await clock.advance(1_000)
    const lively = many(16, MIB, { source: 'one', network: '192.0.2.1' }).map(({ body }) => body)
    const phone = receive({ network: '192.0.2.2' })
    phone.take(50_000)
    expect(budget.hasRoomFor(48 * MIB - 50_000)).toBe(true)
    expect(budget.hasRoomFor(48 * MIB)).toBe(false)
    expect(budget.take(40 * MIB)).toBe(true)
    expect(problems.size).toBe(9)
    expect(budget.take(10 * MIB)).toBe(false)
    expect(lively.concat(phone).filter((body) => problems.has(body))).toEqual([])
    expect(stalled.filter((body) => problems.has(body))).toHaveLength(9)
  })

  it('is not taken for records from a body that is whole, and waits for us', async () => {
    const { clock, budget, receive } = harness()
    receive({ source: 'one', isWhole: true }).take(4 * MIB)
    await clock.advance(60_000)
    expect([budget.reclaimableBytes, budget.take(61 * MIB)]).toEqual([0, false])
  })

  it('is never more than the shares allow, whoever comes and goes', async () => {
    const step = fc.record({
      who: fc.nat(5),
      body: fc.nat(9),
      what: fc.constantFrom('take', 'take', 'take', 'settle', 'release'),
      bytes: fc.integer({ min: 1, max: 3 * MIB }),
      wait: fc.nat(2_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        const { clock, budget, admission, receive, problems } = harness(10 * MIB)
        const open = new Map<string, { body: IncomingBody; isSettled: boolean; who: number }>()
        const from = (who: number) =>
          who < 3 ? { network: `net-${who}` } : { source: `src-${who}`, network: 'x' }
        for (const { who, body: number, what, bytes, wait } of steps) {
          await clock.advance(wait)
          const key = `${who}-${number}`
          const known = open.get(key) ?? { body: receive(from(who)), isSettled: false, who }
          open.set(key, known)
          if (what === 'take') known.body.take(bytes)
          else if (what === 'release' || problems.has(known.body) || known.isSettled) {
            known.body.release()
            open.delete(key)
          } else {
            known.body.settle()
            known.isSettled = true
          }
          const all = [...open.values()]
          const sum = (of: typeof all) => of.reduce((total, { body }) => total + body.held, 0)
          expect(budget.used).toBe(sum(all))
          const coming = all.filter(({ isSettled }) => !isSettled)
          expect(admission.receivingBytes).toBe(sum(coming))
          const holding = coming.filter(({ body }) => body.held > 0)
          const isWithin = (of: typeof all, limit: number) => of.length <= 1 || sum(of) <= limit
          expect(isWithin(holding, 7.5 * MIB)).toBe(true)
          expect(
            isWithin(
              holding.filter((it) => it.who < 3),
              5 * MIB,
            ),
          ).toBe(true)
          for (const name of [0, 1, 2]) {
            expect(
              isWithin(
                holding.filter((it) => it.who === name),
                2.5 * MIB,
              ),
            ).toBe(true)
          }
          for (const name of [3, 4, 5]) {
            expect(
              isWithin(
                holding.filter((it) => it.who === name),
                5 * MIB,
              ),
            ).toBe(true)
          }
        }
      }),
      { numRuns: 100 },
    )
  })
})

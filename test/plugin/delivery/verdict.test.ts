import { describe, expect, it } from '@jest/globals'
import { classify } from '../../../plugin/aws/error-classes.js'
import type { PutResult, RecordAnswer } from '../../../plugin/aws/put.js'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import { Entry } from '../../../plugin/delivery/entry.js'
import { Shipment } from '../../../plugin/delivery/shipment.js'
import { verdictOf } from '../../../plugin/delivery/verdict.js'

const records = [outgoing(2), outgoing(1), outgoing(1)]
const [first, second, third] = records.map(({ entries }) => entries) as [Entry[], Entry[], Entry[]]

describe('the verdict on answers', () => {
  it('tells by record what was taken, what was not, why, and how much was throttled', () => {
    const answers: RecordAnswer[] = [
      { recordId: 'id-0' },
      { errorCode: 'ServiceUnavailableException', errorMessage: 'Slow down.' },
      { errorCode: 'InternalFailure', errorMessage: 'Internal Service Failure' },
    ]
    expect(verdictOf(records, { answers })).toEqual({
      taken: [{ entries: first, recordId: 'id-0' }],
      refused: [...second, ...third],
      throttledShare: 1 / 3,
      error: expect.objectContaining({ name: 'InternalFailure', message: 'Internal Service Failure' }),
      remedy: 'retry',
    })
  })

  it('has no error where all was taken', () => {
    const answers = records.map((_, i) => ({ recordId: `id-${i}` }))
    expect(verdictOf(records, { answers })).toMatchObject({ refused: [], throttledShare: 0 })
    expect(verdictOf(records, { answers }).error).toBeUndefined()
  })
})

describe('the verdict on a refused call', () => {
  it.each([
    ['ServiceUnavailableException', 'retry', 1],
    ['InternalFailure', 'retry', 0],
    ['ExpiredTokenException', 'retry', 0],
    ['InvalidArgumentException', 'isolate', 0],
    ['ResourceNotFoundException', 'park', 0],
    ['AccessDeniedException', 'denied', 0],
  ] as const)('%s: %s for all of its entries', (name, remedy, throttledShare) => {
    const refusal = refusalOf(name)
    expect(verdictOf(records, refusal)).toEqual({
      taken: [],
      refused: [...first, ...second, ...third],
      throttledShare,
      error: expect.objectContaining({ name }),
      remedy,
    })
  })
})

function refusalOf(name: string): PutResult {
  const error = Object.assign(new Error(name), { name })
  return { refusal: { ...classify(error), error } }
}

function outgoing(count: number) {
  const shipment = new Shipment({ size: count, enqueuedAt: 0, deadline: 1, budget: new ByteBudget(1_000) })
  const entries = Array.from({ length: count }, (_, index) => new Entry(Buffer.from('x\n'), shipment, index))
  return { entries, bytes: 2 * count }
}

import { describe, expect, it } from '@jest/globals'
import type { PutResult } from '../../../plugin/aws/put.js'
import { CallTime } from '../../../plugin/delivery/call-time.js'

const ANSWERED: PutResult = { answers: [{ recordId: 'id' }] }
const TIMED_OUT = refused('TimeoutError')

function refused(name: string): PutResult {
  const error = Object.assign(new Error(name), { name })
  return { refusal: { class: 'retry', throttled: false, error } }
}

const callTime = () => new CallTime({ requestTimeout: 5_000, deliveryTimeout: 30_000 })

describe('the limit of a call', () => {
  it('is requestTimeout, or what is left until its answer comes too late', () => {
    const time = callTime()
    expect([time.limitMs(30_000), time.limitMs(1_200), time.limitMs(-5)]).toEqual([5_000, 1_200, 1])
  })

  it('doubles with each time-out in a row, up to eight times', () => {
    const time = callTime()
    const limits = Array.from({ length: 6 }, () => {
      const limit = time.limitMs(600_000)
      time.note(TIMED_OUT, limit, limit)
      return limit
    })
    expect(limits).toEqual([5_000, 10_000, 20_000, 40_000, 40_000, 40_000])
  })

  it('doubles once for calls that were under way together', () => {
    const time = callTime()
    for (let call = 0; call < 8; call++) time.note(TIMED_OUT, 5_000, 5_000)
    expect(time.limitMs(600_000)).toBe(10_000)
  })

  it('stays where a call was cut early, for the sake of its records', () => {
    const time = callTime()
    time.note(TIMED_OUT, time.limitMs(700), 700)
    expect(time.limitMs(600_000)).toBe(5_000)
    time.note(TIMED_OUT, time.limitMs(4_999.7), 5_000)
    expect(time.limitMs(600_000)).toBe(10_000)
  })

  it('is twice what AWS has taken of late, where it is slow', () => {
    const time = callTime()
    time.note(ANSWERED, 10_000, 6_500)
    expect(time.limitMs(600_000)).toBe(13_000)
    time.note(ANSWERED, 13_000, 100)
    expect(time.limitMs(600_000)).toBe(11_700)
    for (let call = 0; call < 20; call++) time.note(ANSWERED, 5_000, 100)
    expect(time.limitMs(600_000)).toBe(5_000)
  })

  it('is whole milliseconds, for the messages that have it', () => {
    expect(callTime().limitMs(4_321.09)).toBe(4_322)
  })

  it.each([
    ['an answer', ANSWERED],
    ['a refusal', refused('ThrottlingException')],
  ])('is as at first after %s', (_name, result) => {
    const time = callTime()
    time.note(TIMED_OUT, 5_000, 5_000)
    time.note(result, 10_000, 700)
    expect(time.limitMs(600_000)).toBe(5_000)
  })
})

describe('the typical time of a call', () => {
  it('follows those that were answered, the newest most', () => {
    const time = callTime()
    for (let call = 0; call < 60; call++) time.note(ANSWERED, 5_000, 1_000)
    expect(time.typicalMs).toBeCloseTo(1_000, 0)
    time.note(refused('ECONNREFUSED'), 5_000, 1)
    expect(time.typicalMs).toBeCloseTo(1_000, 0)
    for (let call = 0; call < 10; call++) time.note(ANSWERED, 5_000, 20)
    expect(time.typicalMs).toBeLessThan(60)
  })

  it('leaves a new record time to be tried, however slow AWS is', () => {
    const time = callTime()
    for (let call = 0; call < 60; call++) time.note(ANSWERED, 60_000, 60_000)
    expect(time.typicalMs).toBe(27_000)
  })
})

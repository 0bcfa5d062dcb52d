import { describe, expect, it } from '@jest/globals'
import { check, type Evidence } from './check.js'
import { Tally } from './tally.js'

function tally(...arrivals: readonly (readonly [stream: string, messageId: string])[]): Tally {
  const tally = new Tally()
  for (const [stream, messageId] of arrivals) tally.add(stream, messageId)
  return tally
}

const checked = (evidence: Partial<Evidence>) =>
  check({
    sent: new Map([
      ['m1', ['a', 'b']],
      ['m2', ['b']],
      ['invalid', []],
    ]),
    acked: [],
    resent: new Set(),
    taken: tally(),
    deadLettered: tally(),
    ...evidence,
  })

describe('what was acknowledged', () => {
  it('is missing from each stream that it belongs in and did not come to', () => {
    expect(checked({ acked: ['m1', 'm2'], taken: tally(['a', 'm1']) }).missing).toEqual([
      ['m1', 'b'],
      ['m2', 'b'],
    ])
  })

  it('is not missing where it was taken, or is a dead letter of that stream or of none', () => {
    const taken = tally(['a', 'm1'])
    expect(checked({ acked: ['m1'], taken, deadLettered: tally(['b', 'm1']) }).missing).toEqual([])
    expect(checked({ acked: ['m1'], deadLettered: tally(['', 'm1']) }).missing).toEqual([])
    expect(checked({ acked: ['m1'], taken, deadLettered: tally(['a', 'm1']) }).missing).toEqual([['m1', 'b']])
  })

  it('is missing where it belongs in no stream and is no dead letter', () => {
    expect(checked({ acked: ['invalid'] }).missing).toEqual([['invalid', '']])
    expect(checked({ acked: ['invalid'], deadLettered: tally(['', 'invalid']) }).missing).toEqual([])
  })

  it('may be less than what was sent', () => {
    expect(checked({}).missing).toEqual([])
  })
})

describe('what was never sent', () => {
  it('is a message that nobody knows, or in a stream that it does not belong in', () => {
    const taken = tally(['a', 'm1'], ['a', 'm2'], ['a', 'm3'])
    expect(checked({ taken }).neverSent).toEqual([
      ['m2', 'a'],
      ['m3', 'a'],
    ])
  })

  it('is found among the dead letters, too', () => {
    const deadLettered = tally(['a', 'm2'], ['b', 'm2'], ['', 'm1'], ['', 'm3'])
    expect(checked({ deadLettered }).neverSent).toEqual([
      ['m2', 'a'],
      ['m3', ''],
    ])
  })
})

describe('duplicates', () => {
  it('are arrivals at one stream beyond the first, told by whether the client sent twice', () => {
    const taken = tally(['a', 'm1'], ['b', 'm1'], ['b', 'm1'], ['b', 'm2'], ['b', 'm2'], ['b', 'm2'])
    expect(checked({ taken, resent: new Set(['m1']) }).duplicates).toEqual({ count: 3, ofResent: 1 })
  })
})

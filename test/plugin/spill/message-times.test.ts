import { describe, expect, it } from '@jest/globals'
import { MessageTimes } from '../../../plugin/spill/message-times.js'
import { FakeClock } from '../../fake-clock.js'

const SURE_MS = 90_000
const HOUR_MS = 60 * 60_000

function harness(maxKnown?: number) {
  const clock = new FakeClock()
  return { clock, times: new MessageTimes(clock, maxKnown) }
}

const message = (id: string, time: number) => ({ id, time })

describe('the times of messages', () => {
  it('count until their message is deleted', () => {
    const { times } = harness()
    expect(times.oldest()).toBeUndefined()
    times.seen(message('b', 2))
    times.seen(message('a', 1))
    times.seen(message('a', 1))
    expect(times.oldest()).toBe(1)
    times.deleted({ id: 'a' })
    expect(times.oldest()).toBe(2)
    times.deleted({ id: 'b' })
    expect(times.oldest()).toBeUndefined()
  })

  it('go where SQS counts fewer, the one without a sign of life for longest first', async () => {
    const { times, clock } = harness()
    times.seen(message('a', 1))
    times.seen(message('b', 2))
    times.seen(message('c', 3))
    times.held({ id: 'a' })
    times.counted({ messages: 2, waiting: 2 })
    expect(times.oldest()).toBe(1)
    await clock.advance(SURE_MS)
    times.counted({ messages: 2, waiting: 2 })
    times.deleted({ id: 'a' })
    expect(times.oldest()).toBe(3)
  })

  it('stay where all may still wait, however long they do', async () => {
    const { times, clock } = harness()
    times.seen(message('a', 1))
    await clock.advance(48 * HOUR_MS)
    times.counted({ messages: 1, waiting: 1 })
    expect(times.oldest()).toBe(1)
  })

  it('go where nothing waits for a receiver and none was seen for an hour', async () => {
    const { times, clock } = harness()
    times.seen(message('a', 1))
    await clock.advance(HOUR_MS - 1)
    times.counted({ messages: 1, waiting: 0 })
    expect(times.oldest()).toBe(1)
    await clock.advance(1)
    times.counted({ messages: 1, waiting: 0 })
    expect(times.oldest()).toBeUndefined()
  })

  it('are not made known by what is held: it may be deleted', () => {
    const { times } = harness()
    times.held({ id: 'a' })
    expect(times.oldest()).toBeUndefined()
  })

  it('take so much room at most, and the oldest of the others counts while there are others', () => {
    const { times } = harness(2)
    times.seen(message('a', 1))
    times.seen(message('b', 2))
    times.seen(message('d', 4))
    times.seen(message('c', 3))
    times.deleted({ id: 'a' })
    times.deleted({ id: 'b' })
    times.counted({ messages: 2, waiting: 2 })
    expect(times.oldest()).toBe(3)
    times.seen(message('d', 4))
    times.counted({ messages: 1, waiting: 1 })
    expect(times.oldest()).toBe(4)
  })
})

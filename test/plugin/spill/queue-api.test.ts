import * as sdk from '@aws-sdk/client-sqs'
import { describe, expect, it } from '@jest/globals'
import { HeldMessages } from '../../../plugin/spill/held-messages.js'
import { QueueApi, type QueueClient } from '../../../plugin/spill/queue-api.js'
import { encodeMessages } from '../../../plugin/spill/queue-message.js'
import { QueueWriter } from '../../../plugin/spill/queue-writer.js'
import { FakeClock } from '../../fake-clock.js'

const QUEUE = { queueUrl: 'https://sqs.us-west-2.amazonaws.com/123456789012/spill', region: 'us-west-2' }
const TARGET = { stream: 's', key: '0123456789abcdef' }

/** A client that answers, or throws, by hand. */
function harness(answer: (entries: readonly string[]) => object) {
  const clock = new FakeClock()
  const done = { dropped: 0, renewed: 0, calls: 0 }
  const client = {
    send: async (command: { input: { Entries?: readonly { Id: string }[] } }) => {
      done.calls++
      const entries = command.input.Entries ?? []
      const result = answer(entries.map(({ Id }) => Id))
      if (result instanceof Error) throw result
      return result
    },
    destroy() {},
    dropIdleConnections: () => done.dropped++,
    renewCredentials: () => done.renewed++,
  } as unknown as QueueClient
  return { api: new QueueApi(sdk, client, QUEUE, clock), clock, done }
}

const failed =
  (Code: string, SenderFault: boolean, Message = 'said') =>
  (ids: readonly string[]) => ({
    Failed: ids.map((Id) => ({ Id, Code, SenderFault, Message })),
  })

const message = (text: string) =>
  encodeMessages({ target: TARGET, records: [Buffer.from(text)], time: 0 }, 1_000)

describe('an entry that SQS did not take', () => {
  it.each([
    ['RequestThrottled', true, 'retry'],
    ['ThrottlingException', true, 'retry'],
    ['KMS.ThrottlingException', true, 'retry'],
    ['KmsThrottled', true, 'retry'],
    ['InternalError', false, 'retry'],
    ['ServiceUnavailable', true, 'retry'],
    ['AccessDenied', true, 'park'],
    ['KMS.AccessDeniedException', true, 'park'],
    ['InvalidMessageContents', true, 'isolate'],
    ['InvalidMessageContents', false, 'isolate'],
    ['AnythingNew', true, 'isolate'],
    ['AnythingNew', false, 'retry'],
  ])('goes by its code before its flag: %s, SenderFault %s', async (code, senderFault, errorClass) => {
    const { api } = harness(failed(code, senderFault))
    const { failures } = await api.send(message('a\n'))
    expect(failures).toEqual([{ index: 0, code, message: 'said', class: errorClass }])
  })

  it('and that SQS does not speak of is sent again', async () => {
    const { api } = harness(() => ({}))
    expect((await api.send(message('a\n'))).failures).toEqual([
      { index: 0, code: 'no answer', message: '', class: 'retry' },
    ])
  })

  it('is sent again where it was throttled, though SQS calls that the fault of the sender', async () => {
    let tries = 0
    const throttled = failed('RequestThrottled', true)
    const { api, clock } = harness((ids) =>
      ++tries === 1 ? throttled(ids) : { Successful: ids.map((Id) => ({ Id, MessageId: 'm' })) },
    )
    const writer = new QueueWriter(api, clock, () => {})
    const written = writer.write({ target: TARGET, records: [Buffer.from('a\n')], time: 0 })
    await clock.advance(1_000)
    await written
    expect(tries).toBe(2)
  })
})

describe('a delivered message that cannot be deleted', () => {
  const held = {
    target: TARGET,
    records: [],
    time: 0,
    id: 'm',
    receipt: 'r',
    bytes: 0,
    receivedAt: 0,
    heldUntil: 1,
  }

  it.each([
    ['RequestThrottled', true, 2],
    ['KmsThrottled', true, 2],
    ['AccessDenied', true, 2],
    ['ReceiptHandleIsInvalid', true, 1],
    ['ReceiptHandleIsInvalid', false, 1],
  ])('for %s, SenderFault %s, is deleted in %i tries', async (code, senderFault, deletes) => {
    let calls = 0
    const { api, clock } = harness((ids) => {
      calls++
      return failed(code, senderFault)(ids)
    })
    const messages = new HeldMessages(api, clock, () => {})
    await messages.delete([held])
    expect(calls).toBe(1)
    await messages.deleteLeftovers()
    // Its time is extended before it is deleted.
    expect(calls).toBe(deletes === 1 ? 1 : 3)
  })
})

describe('a call', () => {
  const fails = (name: string, more: object = {}) =>
    harness(() => Object.assign(new Error('said'), { name, ...more }))

  it.each([
    ['TimeoutError', {}, 1, 0],
    ['Error', { code: 'ECONNRESET' }, 1, 0],
    ['ExpiredToken', { $fault: 'client' }, 0, 1],
    ['QueueDoesNotExist', { $fault: 'client' }, 0, 0],
  ])('that ends with %s %j leaves behind what broke', async (name, more, dropped, renewed) => {
    const { api, done } = fails(name, more)
    await expect(api.attributes()).rejects.toThrow('said (SQS in us-west-2')
    expect(done).toEqual({ dropped, renewed, calls: 1 })
  })

  it('that hangs is given up', async () => {
    const { api, clock, done } = harness(() => new Promise<never>(() => {}))
    const outcome = expect(api.attributes()).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'SQS did not answer within 4000 ms (SQS in us-west-2)',
    })
    await clock.advance(4_000)
    await outcome
    expect(done.dropped).toBe(1)
  })
})

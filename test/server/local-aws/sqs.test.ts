import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  type CreateQueueCommandInput,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import { afterEach, describe, expect, test } from '@jest/globals'
import type { LocalAwsOptions } from '../../../server/local-aws/index.js'
import { ACCOUNT, ROLE, raw, start, stopAll } from './harness.js'

afterEach(stopAll)

const MIB = 1_048_576

/** A queue, and what the tests do with it. */
async function startQueue(attributes: Record<string, string> = {}, options: LocalAwsOptions = {}) {
  let now = Date.now()
  const harness = await start({ now: () => now, maxClockSkewMs: Number.POSITIVE_INFINITY, ...options })
  const QueueUrl = await harness.queue('spill', attributes)
  const client = harness.sqs()
  const receive = async (input: Partial<ReceiveMessageCommand['input']> = {}): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, ...input })
    return (await client.send(command)).Messages ?? []
  }
  return {
    ...harness,
    QueueUrl,
    client,
    receive,
    pass(seconds: number) {
      now += seconds * 1000
    },
    send: (body: string) => client.send(new SendMessageCommand({ QueueUrl, MessageBody: body })),
    sendBatch: (entries: readonly SendMessageBatchRequestEntry[]) =>
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries: [...entries] })),
    bodies: async () => (await receive()).map(({ Body }) => Body),
    hide: (message: Message | undefined, seconds: number) =>
      client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl,
          ReceiptHandle: message?.ReceiptHandle,
          VisibilityTimeout: seconds,
        }),
      ),
    remove: (message: Message | undefined) =>
      client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle })),
    async attributes() {
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] })
      return (await client.send(command)).Attributes
    },
  }
}

const entries = (...bodies: string[]) => bodies.map((MessageBody, n) => ({ Id: `e${n}`, MessageBody }))

describe('a queue', () => {
  test('is made once, found by its name, and tells its attributes', async () => {
    const { aws, sqs, attributes, QueueUrl } = await startQueue({ VisibilityTimeout: '60' })
    expect(QueueUrl).toBe(`${aws.endpoint}/${ACCOUNT}/spill`)
    expect(await sqs().send(new GetQueueUrlCommand({ QueueName: 'spill' }))).toMatchObject({ QueueUrl })
    expect(
      await sqs().send(
        new CreateQueueCommand({ QueueName: 'spill', Attributes: { VisibilityTimeout: '60' } }),
      ),
    ).toMatchObject({ QueueUrl })
    expect(await attributes()).toMatchObject({
      QueueArn: `arn:aws:sqs:us-west-2:${ACCOUNT}:spill`,
      VisibilityTimeout: '60',
      MaximumMessageSize: String(MIB),
      MessageRetentionPeriod: '345600',
      ApproximateNumberOfMessages: '0',
    })
  })

  test.each<[string, CreateQueueCommandInput, string]>([
    ['another attribute', { QueueName: 'spill', Attributes: { DelaySeconds: '1' } }, 'QueueNameExists'],
    [
      'an attribute there is not',
      { QueueName: 'q', Attributes: { Delay: '1' } as object },
      'InvalidAttributeName',
    ],
    [
      'a value out of bounds',
      { QueueName: 'q', Attributes: { DelaySeconds: '901' } },
      'InvalidAttributeValue',
    ],
    ['a name that is none', { QueueName: 'my queue' }, 'InvalidParameterValue'],
    ['a FIFO name', { QueueName: 'q.fifo' }, 'UnsupportedOperation'],
  ])('is not made with %s', async (_, input, name) => {
    const { client } = await startQueue()
    await expect(client.send(new CreateQueueCommand(input))).rejects.toMatchObject({ name })
  })

  test('that is not there is said to be so', async () => {
    const { aws, client, send, QueueUrl } = await startQueue()
    const notThere = {
      name: 'QueueDoesNotExist',
      message: 'The specified queue does not exist.',
      $metadata: { httpStatusCode: 400 },
    }
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'other' }))).rejects.toMatchObject(notThere)
    await client.send(new DeleteQueueCommand({ QueueUrl }))
    await expect(send('x')).rejects.toMatchObject(notThere)
    aws.createQueue('spill')
    await send('x')
    aws.deleteQueue('spill')
    await expect(send('x')).rejects.toMatchObject(notThere)
    await expect(
      client.send(new SendMessageCommand({ QueueUrl: `${aws.endpoint}/spill`, MessageBody: 'x' })),
    ).rejects.toMatchObject({ name: 'InvalidAddress' })
  })
})

describe('SendMessageBatch', () => {
  test('sends messages with their attributes, and digests that clients check', async () => {
    const { sendBatch, receive } = await startQueue()
    const MessageAttributes = {
      stream: { DataType: 'String', StringValue: 'web' },
      count: { DataType: 'Number', StringValue: '2' },
      raw: { DataType: 'Binary.gzip', BinaryValue: Uint8Array.of(0, 255) },
    }
    const { Successful, Failed } = await sendBatch([
      { Id: 'a', MessageBody: 'é\n\t☃', MessageAttributes },
      { Id: 'b', MessageBody: 'b' },
    ])
    expect(Failed).toBeUndefined()
    expect(Successful?.map(({ Id }) => Id)).toEqual(['a', 'b'])
    // By the algorithm of SQS's developer guide, computed apart from this code.
    expect(Successful?.[0]?.MD5OfMessageAttributes).toBe('79e648d435260487c9cc5793c43a9431')
    const [first, second] = await receive({
      MessageAttributeNames: ['stream', 'ra.*', 'raw.*'],
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    })
    expect(first).toMatchObject({
      MessageId: Successful?.[0]?.MessageId,
      Body: 'é\n\t☃',
      MessageAttributes: { stream: MessageAttributes.stream, raw: MessageAttributes.raw },
      Attributes: { ApproximateReceiveCount: '1', SentTimestamp: expect.stringMatching(/^\d{13}$/) },
    })
    expect(first?.MessageAttributes).not.toHaveProperty('count')
    expect(second).not.toHaveProperty('MessageAttributes')
  })

  test('takes 1 MiB over all entries, attributes included, and no byte more', async () => {
    const { sendBatch, bodies } = await startQueue()
    const MessageAttributes = { ab: { DataType: 'String', StringValue: 'xy' } }
    const full = [
      { Id: 'a', MessageBody: 'x'.repeat(MIB / 2 - 10), MessageAttributes },
      { Id: 'b', MessageBody: 'é'.repeat(MIB / 4) },
    ]
    expect((await sendBatch(full)).Successful).toHaveLength(2)
    await expect(sendBatch([...full, { Id: 'c', MessageBody: 'x' }])).rejects.toMatchObject({
      name: 'BatchRequestTooLong',
      message: `Batch requests cannot be longer than ${MIB} bytes. You have sent ${MIB + 1} bytes.`,
    })
    expect(await bodies()).toHaveLength(2)
  })

  test.each([
    ['no entry', [], 'EmptyBatchRequest'],
    ['eleven entries', entries(...'abcdefghijk'), 'TooManyEntriesInBatchRequest'],
    ['ids that are the same', [...entries('a'), ...entries('b')], 'BatchEntryIdsNotDistinct'],
    ['an id of other characters', [{ Id: 'a b', MessageBody: 'x' }], 'InvalidBatchEntryId'],
  ])('refuses %s', async (_, list, name) => {
    const { sendBatch, bodies } = await startQueue()
    await expect(sendBatch(list)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } })
    expect(await bodies()).toEqual([])
  })

  test('fails the entries that are wrong, and sends the others', async () => {
    const { sendBatch, bodies, calls } = await startQueue({ MaximumMessageSize: '1024' })
    const list = entries('good', 'x'.repeat(1025), 'no\u0001', 'no\uFFFF', 'x'.repeat(1024))
    const { Successful, Failed } = await sendBatch(list)
    expect(Successful?.map(({ Id }) => Id)).toEqual(['e0', 'e4'])
    expect(Failed?.map(({ Id, Code, SenderFault }) => [Id, Code, SenderFault])).toEqual([
      ['e1', 'InvalidParameterValue', true],
      ['e2', 'InvalidMessageContents', true],
      ['e3', 'InvalidMessageContents', true],
    ])
    expect(await bodies()).toEqual(['good', 'x'.repeat(1024)])
    expect(calls).toContainEqual(
      expect.objectContaining({ action: 'SendMessageBatch', queue: 'spill', records: 5, failedRecords: 3 }),
    )
  })
})

describe('ReceiveMessage', () => {
  test('gives one message unless more are asked for, ten at most', async () => {
    const { sendBatch, receive } = await startQueue()
    await sendBatch(entries(...'abcdefghij'))
    await sendBatch(entries('k', 'l'))
    expect(await receive({ MaxNumberOfMessages: undefined })).toHaveLength(1)
    expect(await receive()).toHaveLength(10)
    expect(await receive()).toHaveLength(1)
    await expect(receive({ MaxNumberOfMessages: 11 })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    })
    await expect(receive({ WaitTimeSeconds: 21 })).rejects.toMatchObject({ name: 'InvalidParameterValue' })
  })

  test('hides a message until its visibility time-out is over, and counts its states', async () => {
    const { send, receive, pass, attributes } = await startQueue()
    await send('a')
    expect(await receive({ VisibilityTimeout: 10 })).toHaveLength(1)
    pass(9)
    expect(await receive()).toEqual([])
    expect(await attributes()).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '1',
    })
    pass(1)
    const [again] = await receive({ MessageSystemAttributeNames: ['All'] })
    expect(again?.Attributes).toMatchObject({ ApproximateReceiveCount: '2' })
  })

  test('waits for a message to be sent', async () => {
    const { send, receive, attributes, calls } = await startQueue()
    const waiting = receive({ WaitTimeSeconds: 20 })
    await attributes()
    await send('late')
    expect((await waiting).map(({ Body }) => Body)).toEqual(['late'])
    expect(calls.map(({ action }) => action).slice(-2)).toEqual(['SendMessage', 'ReceiveMessage'])
  })

  test('waits no longer than the endpoint lives', async () => {
    const { aws, receive, send } = await startQueue()
    await send('taken')
    expect(await receive()).toHaveLength(1)
    const waiting = expect(receive({ WaitTimeSeconds: 20 })).rejects.toThrow()
    await receive()
    await aws.close()
    await waiting
  })

  test('forgets what is older than the queue keeps it', async () => {
    const { send, bodies, pass } = await startQueue({ MessageRetentionPeriod: '60' })
    await send('old')
    pass(30)
    await send('new')
    pass(30)
    expect(await bodies()).toEqual(['new'])
  })
})

describe('a receipt', () => {
  test('deletes its message, once and for all', async () => {
    const { sendBatch, receive, remove, pass, bodies } = await startQueue()
    await sendBatch(entries('a', 'b'))
    const [a] = await receive()
    await remove(a)
    await remove(a)
    pass(60)
    expect(await bodies()).toEqual(['b'])
  })

  test('of an earlier reception deletes nothing', async () => {
    const { send, receive, remove, pass, bodies } = await startQueue()
    await send('a')
    const [first] = await receive()
    pass(60)
    await receive()
    await remove(first)
    pass(60)
    expect(await bodies()).toEqual(['a'])
  })

  test('gives its message back, or keeps it longer', async () => {
    const { sendBatch, receive, hide, pass, bodies } = await startQueue()
    await sendBatch(entries('back', 'kept'))
    const [back, kept] = await receive()
    await hide(back, 0)
    await hide(kept, 100)
    pass(99)
    expect(await bodies()).toEqual(['back'])
    pass(1)
    expect(await bodies()).toEqual(['kept'])
  })

  test('keeps no message that is not in flight, nor any for more than twelve hours', async () => {
    const { send, receive, hide, remove, pass } = await startQueue()
    await send('a')
    const [first] = await receive()
    pass(10)
    await expect(hide(first, 43_191)).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: expect.stringContaining('Total VisibilityTimeout for the message is beyond the limit'),
    })
    await hide(first, 43_190)
    pass(43_190)
    await expect(hide(first, 1)).rejects.toMatchObject({ name: 'MessageNotInflight' })
    const [second] = await receive()
    await remove(second)
    await expect(hide(second, 1)).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: expect.stringContaining('Message does not exist'),
    })
  })

  test('that SQS never gave is refused, in a batch alone', async () => {
    const { client, QueueUrl, send, receive, remove, bodies, pass } = await startQueue()
    await expect(remove({ ReceiptHandle: 'nonsense' })).rejects.toMatchObject({
      name: 'ReceiptHandleIsInvalid',
      $metadata: { httpStatusCode: 404 },
    })
    await send('a')
    const [{ ReceiptHandle } = {}] = await receive()
    const Entries = [
      { Id: 'good', ReceiptHandle },
      { Id: 'bad', ReceiptHandle: 'nonsense' },
    ]
    const hidden = await client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: Entries.map((entry) => ({ ...entry, VisibilityTimeout: 5 })),
      }),
    )
    const deleted = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
    for (const { Successful, Failed } of [hidden, deleted]) {
      expect(Successful).toEqual([{ Id: 'good' }])
      expect(Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid', SenderFault: true }])
    }
    pass(60)
    expect(await bodies()).toEqual([])
  })
})

describe('faults', () => {
  test('strike entries one by one, or calls of one action or queue', async () => {
    const { aws, sendBatch, send, bodies } = await startQueue()
    const stop = aws.addFault({ kind: 'fail-records', action: 'SendMessageBatch', share: 0.5 })
    const { Successful = [], Failed = [] } = await sendBatch(entries(...'abcdefghij'))
    stop()
    expect([Successful.length > 0, Failed.length > 0, Successful.length + Failed.length]).toEqual([
      true,
      true,
      10,
    ])
    expect(Failed[0]).toMatchObject({ Code: 'InternalError', SenderFault: false })
    expect(await bodies()).toHaveLength(Successful.length)

    aws.addFault({ kind: 'error', code: 'RequestThrottled', status: 403, queue: 'spill', times: 1 })
    aws.addFault({ kind: 'disconnect-after', action: 'SendMessage', times: 1 })
    await expect(send('x')).rejects.toMatchObject({ name: 'RequestThrottled' })
    await expect(send('x')).rejects.toThrow()
    expect(await bodies()).toEqual(['x'])
  })
})

describe('permissions', () => {
  const role = (...Action: string[]) => ({
    arn: ROLE,
    trustPolicy: {
      Statement: { Effect: 'Allow' as const, Principal: '*' as const, Action: 'sts:AssumeRole' },
    },
    permissionPolicy: {
      Version: '2012-10-17' as const,
      Statement: { Effect: 'Allow' as const, Action, Resource: `arn:aws:sqs:*:${ACCOUNT}:spill` },
    },
  })

  test('for a batch are those of its single operation', async () => {
    const { QueueUrl, sqs, assumeRole } = await startQueue({}, { roles: [role('sqs:SendMessage')] })
    const client = sqs(await assumeRole())
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries: entries('a') }))
    await expect(client.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/segment-firehose/test is not authorized to perform: sqs:receivemessage on resource: arn:aws:sqs:us-west-2:${ACCOUNT}:spill because no identity-based policy allows the sqs:receivemessage action`,
      $metadata: { httpStatusCode: 403 },
    })
  })

  test('are checked with the signature, and end with the credentials', async () => {
    const { aws, QueueUrl, sqs, assumeRole } = await startQueue({}, { roles: [role('sqs:*')] })
    const credentials = await assumeRole()
    const send = new SendMessageCommand({ QueueUrl, MessageBody: 'x' })
    await sqs(credentials).send(send)
    await expect(sqs({ ...credentials, secretAccessKey: 'wrong' }).send(send)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    })
    aws.expireCredentials()
    await expect(sqs(credentials).send(send)).rejects.toMatchObject({ name: 'ExpiredTokenException' })
  })

  test('end at the account', async () => {
    const other = { accessKeyId: 'AKIAOTHER00000000000', secretAccessKey: 'other' }
    const owner = { accessKeyId: 'AKIAANYONE0000000000', secretAccessKey: 'any' }
    const userArn = 'arn:aws:iam::999999999999:user/other'
    const { QueueUrl, sqs } = await startQueue({}, { accessKeys: [owner, { ...other, userArn }] })
    await expect(sqs(other).send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow(
      'because no resource-based policy allows the sqs:receivemessage action',
    )
  })
})

describe('a request of wrong form', () => {
  test.each([
    ['cut JSON', 'SendMessage', '{"QueueUrl":', 'SerializationException'],
    ['no queue', 'SendMessage', '{"MessageBody":"x"}', 'MissingParameter'],
    ['another operation', 'SetQueueAttributes', '{}', 'UnknownOperationException'],
  ])('is answered: %s', async (_, operation, body, code) => {
    const { aws } = await start()
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` }
    const { status, text } = await raw(aws, { service: 'sqs', headers, body })
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({ __type: `com.amazonaws.sqs#${code}` })
  })
})

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
  type QueueAttributeName,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  type SendMessageCommandInput,
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
    ).rejects.toMatchObject(notThere)
  })

  test('is named by its URL of any host, or by its mere name', async () => {
    const { client, bodies } = await startQueue()
    for (const QueueUrl of ['spill', `https://sqs.us-west-2.amazonaws.com/${ACCOUNT}/spill`]) {
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody: QueueUrl.slice(0, 5) }))
    }
    expect(await bodies()).toEqual(['spill', 'https'])
  })

  test('is of the region in which it was made', async () => {
    const { aws, sqs, QueueUrl } = await startQueue()
    const elsewhere = sqs(undefined, 'eu-west-1')
    const find = new GetQueueUrlCommand({ QueueName: 'spill' })
    await expect(elsewhere.send(find)).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
    await expect(
      elsewhere.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' })),
    ).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
    await elsewhere.send(
      new CreateQueueCommand({ QueueName: 'spill', Attributes: { VisibilityTimeout: '1' } }),
    )
    expect(await elsewhere.send(find)).toMatchObject({ QueueUrl })
    aws.createQueue('everywhere')
    const everywhere = new GetQueueUrlCommand({ QueueName: 'everywhere' })
    for (const client of [elsewhere, sqs(undefined, 'us-east-1')]) await client.send(everywhere)
    aws.deleteQueue('everywhere')
    await expect(elsewhere.send(everywhere)).rejects.toMatchObject({ name: 'QueueDoesNotExist' })
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
    expect(Failed?.[0]?.Message).toBe(
      'One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.',
    )
    expect(await bodies()).toEqual(['good', 'x'.repeat(1024)])
    expect(calls).toContainEqual(
      expect.objectContaining({ action: 'SendMessageBatch', queue: 'spill', records: 5, failedRecords: 3 }),
    )
  })
})

describe('system attributes', () => {
  const timestamp = { timestamp: { StringValue: '1493147359900', DataType: 'Number' } }
  const header = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
  const trace = { AWSTraceHeader: { StringValue: header, DataType: 'String' } }

  test('come back to who asks, have a digest of their own, and do not count', async () => {
    const { client, QueueUrl, receive } = await startQueue({ MaximumMessageSize: '1024' })
    const message = { MessageBody: 'x'.repeat(970), MessageAttributes: timestamp }
    const plain = await client.send(new SendMessageCommand({ QueueUrl, ...message }))
    expect(plain.MD5OfMessageSystemAttributes).toBeUndefined()
    const input = { ...message, MessageSystemAttributes: trace, MessageGroupId: 'tenant-1' }
    const sent = await client.send(new SendMessageCommand({ QueueUrl, ...input }))
    expect(sent.MD5OfMessageAttributes).toBe(plain.MD5OfMessageAttributes)
    // As AWS was recorded to answer: LocalStack's test_system_attributes_have_no_effect_on_attr_md5.
    expect(sent.MD5OfMessageSystemAttributes).toBe('5ae4d5d7636402d80f4eb6d213245a88')
    const batch = new SendMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', ...input }] })
    const { Successful } = await client.send(batch)
    expect(Successful?.[0]?.MD5OfMessageSystemAttributes).toBe('5ae4d5d7636402d80f4eb6d213245a88')
    const attributes = (
      await receive({
        MessageSystemAttributeNames: ['AWSTraceHeader'],
        AttributeNames: ['MessageGroupId' as QueueAttributeName],
      })
    ).map(({ Attributes }) => Attributes)
    const given = { AWSTraceHeader: header, MessageGroupId: 'tenant-1' }
    expect(attributes).toEqual([undefined, given, given])
  })

  test('hold the X-Ray header of the request', async () => {
    const { client, send, receive } = await startQueue()
    client.middlewareStack.add(
      (next) => (args) => {
        Object.assign((args.request as { headers: object }).headers, {
          'x-amzn-trace-id': 'Root=1;Sampled=1',
        })
        return next(args)
      },
      { step: 'build' },
    )
    await send('x')
    const [message] = await receive({ AttributeNames: ['All'] })
    expect(message?.Attributes).toMatchObject({ AWSTraceHeader: 'Root=1;Sampled=1' })
  })

  test.each<[string, Partial<SendMessageCommandInput>, string]>([
    [
      'another system attribute',
      { MessageSystemAttributes: { Other: trace.AWSTraceHeader } as object },
      'Other',
    ],
    [
      'a trace header of another type',
      { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'Number', StringValue: '1' } } },
      "must be of type 'String'",
    ],
    [
      'a group with a blank',
      { MessageGroupId: 'group 123' },
      'Value group 123 for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
    ],
    [
      'an empty attribute',
      { MessageAttributes: { ErrorDetails: { DataType: 'String', StringValue: '' } } },
      "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
    ],
    [
      'an attribute with a control character',
      { MessageAttributes: { attr1: { DataType: 'String', StringValue: 'a\b' } } },
      "'attr1'",
    ],
  ])('refuse %s', async (_, input, message) => {
    const { client, QueueUrl } = await startQueue()
    const command = new SendMessageCommand({ QueueUrl, MessageBody: 'x', ...input })
    await expect(client.send(command)).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: expect.stringContaining(message),
    })
  })
})

describe('ReceiveMessage', () => {
  test('gives the attributes that it is asked for, whose names may be of any script', async () => {
    const { client, QueueUrl, receive } = await startQueue({ VisibilityTimeout: '0' })
    const attribute = { DataType: 'String', StringValue: 'x' }
    const MessageAttributes = { 'Help.Me': attribute, Hello: attribute, 'attr.1øßä': attribute }
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes }))
    const named = async (...MessageAttributeNames: string[]) => {
      const [message] = await receive({ MessageAttributeNames })
      return Object.keys(message?.MessageAttributes ?? {}).sort()
    }
    const all = ['Hello', 'Help.Me', 'attr.1øßä']
    for (const every of ['All', '*', '.*']) expect(await named(every)).toEqual(all)
    expect(await named('Hel.*')).toEqual(['Hello', 'Help.Me'])
    expect(await named('Foo', 'Hello')).toEqual(['Hello'])
    expect(await named('AWS.', '..foo')).toEqual([])
  })

  test('gives one message unless more are asked for, ten at most', async () => {
    const { sendBatch, receive } = await startQueue()
    await sendBatch(entries(...'abcdefghij'))
    await sendBatch(entries('k', 'l'))
    expect(await receive({ MaxNumberOfMessages: undefined })).toHaveLength(1)
    expect(await receive()).toHaveLength(10)
    expect(await receive()).toHaveLength(1)
    await expect(receive({ MaxNumberOfMessages: 11 })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message:
        'Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.',
    })
    await expect(receive({ WaitTimeSeconds: 21 })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message:
        'Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.',
    })
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

  test('of an earlier reception deletes the message, though another consumer has it by now', async () => {
    const { send, receive, remove, hide, pass, bodies } = await startQueue()
    await send('a')
    const [first] = await receive()
    pass(60)
    const [second] = await receive()
    expect(second?.ReceiptHandle).not.toBe(first?.ReceiptHandle)
    await remove(first)
    await expect(hide(second, 10)).rejects.toThrow('Message does not exist')
    await remove(second)
    pass(60)
    expect(await bodies()).toEqual([])
  })

  test('of an earlier reception changes how long the message is hidden', async () => {
    const { send, receive, hide, bodies } = await startQueue()
    await send('a')
    const [first] = await receive({ VisibilityTimeout: 0 })
    expect(await receive({ VisibilityTimeout: 30 })).toHaveLength(1)
    await hide(first, 0)
    expect(await bodies()).toEqual(['a'])
  })

  test('hides a message again whose visibility time-out is over', async () => {
    const { send, receive, hide, pass, bodies } = await startQueue({ VisibilityTimeout: '2' })
    await send('a')
    const [first] = await receive()
    pass(3)
    await hide(first, 10)
    pass(9)
    expect(await bodies()).toEqual([])
    pass(1)
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

  test('hides no message for more than twelve hours since its last reception, nor one that is gone', async () => {
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
    await expect(hide(first, 1)).rejects.toThrow(
      'Total VisibilityTimeout for the message is beyond the limit',
    )
    const [second] = await receive()
    await hide(second, 43_200)
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
    [
      'no queue',
      'SendMessage',
      '{"MessageBody":"x"}',
      'MissingRequiredParameterException',
      'MissingParameter',
    ],
    [
      'a value out of bounds',
      'ReceiveMessage',
      '{"QueueUrl":"http://x/123456789012/q","MaxNumberOfMessages":11}',
      'InvalidParameterValueException',
      'InvalidParameterValue',
    ],
    ['another operation', 'SetQueueAttributes', '{}', 'UnknownOperationException'],
  ])('is answered: %s', async (_, operation, body, code, queryCode = code) => {
    const { aws } = await start({ queues: ['q'] })
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${operation}` }
    const { status, text, headers: answered } = await raw(aws, { service: 'sqs', headers, body })
    expect(status).toBe(400)
    if (code !== 'UnknownOperationException')
      expect(answered.get('x-amzn-query-error')).toBe(`${queryCode};Sender`)
    expect(JSON.parse(text)).toMatchObject({ __type: `com.amazonaws.sqs#${code}` })
  })
})

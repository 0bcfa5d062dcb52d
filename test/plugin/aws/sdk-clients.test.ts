import { Agent } from 'node:https'
import { describe, expect, it, jest } from '@jest/globals'
import { AwsHttpHandler } from '../../../plugin/aws/http-handler.js'
import { type ClientIdentity, makeClients, type SdkClients } from '../../../plugin/aws/sdk-clients.js'
import { FakeClock } from '../../fake-clock.js'

const IDENTITY: ClientIdentity = {
  region: 'us-west-2',
  roleAddress: 'arn:aws:iam::123456789012:role/x',
  externalId: 'src_a',
  endpoint: undefined,
  stsEndpoint: undefined,
  clientConfig: { credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' } },
}

const clientsOf = (more: Partial<ClientIdentity>) =>
  makeClients({ ...IDENTITY, ...more }, new FakeClock(), () => {})

const signedFor = async ({ assumed }: SdkClients) => assumed?.sts.config.region()

describe('calls of STS', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'us-west-2'],
    ['http://127.0.0.1:4599', 'us-west-2'],
    ['https://sts.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['https://sts.amazonaws.com', 'us-east-1'],
    ['https://vpce-0a1b-87654321.sts.us-east-2.vpce.amazonaws.com', 'us-east-2'],
  ])('to %s are signed for %s', async (stsEndpoint, region) => {
    expect(await signedFor(await clientsOf({ stsEndpoint }))).toBe(region)
  })
})

describe('a request handler of the user', () => {
  it('is used as it is, and left open', async () => {
    const destroy = jest.fn()
    const requestHandler = { handle: async () => ({}), destroy } as never
    const clients = await clientsOf({ clientConfig: { ...IDENTITY.clientConfig, requestHandler } })
    expect(clients.firehose.config.requestHandler).toBe(requestHandler)
    clients.destroy()
    expect(destroy).not.toHaveBeenCalled()
  })

  it('given by its options goes beside what is not in them', async () => {
    const httpsAgent = new Agent()
    const requestHandler = { httpsAgent, requestTimeout: 7 }
    const { firehose } = await clientsOf({ clientConfig: { ...IDENTITY.clientConfig, requestHandler } })
    const handler = firehose.config.requestHandler as unknown as AwsHttpHandler
    expect(handler).toBeInstanceOf(AwsHttpHandler)
    expect(handler.httpHandlerConfigs()).toEqual(requestHandler)
  })
})

describe('credentials', () => {
  it('in the settings are used as they are', async () => {
    const clients = await clientsOf({ roleAddress: undefined })
    expect(clients.ambient).toBeUndefined()
    expect(await clients.firehose.config.credentials()).toMatchObject({ accessKeyId: 'AKIAEXAMPLE000000000' })
  })

  it('of a function are kept until they expire, and fetched ahead of that', async () => {
    const clock = new FakeClock()
    let calls = 0
    const credentials = async () => ({
      accessKeyId: `key${++calls}`,
      secretAccessKey: 'secret',
      expiration: new Date(clock.wallTime() + 3_600_000),
    })
    const identity = { ...IDENTITY, roleAddress: undefined, clientConfig: { credentials } }
    const { firehose } = await makeClients(identity, clock, () => {})
    const key = async () => (await firehose.config.credentials()).accessKeyId
    expect([await key(), await key()]).toEqual(['key1', 'key1'])
    await clock.advance(3_300_000)
    expect(await key()).toBe('key1')
    await clock.settle()
    expect(await key()).toBe('key2')
  })
})

import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createClientPool } from '../../plugin/aws/client-pool.js'
import { deliveryOf } from '../../plugin/delivery/create-delivery.js'
import { parseSettings } from '../../plugin/settings/configuration.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'
import { isAlive } from '../alive.js'
import { FakeClock } from '../fake-clock.js'
import { ROLE, records, startTestAws, type TestAws } from './aws.js'

const cleanUps: (() => unknown)[] = []
const environment = { ...process.env }
let test: TestAws
let dir: string
let credentials: {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken: string
  readonly Expiration: Date
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ambient-'))
  test = await startTestAws()
  const sts = new STSClient({
    region: 'us-west-2',
    endpoint: test.aws.endpoint,
    credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' },
  })
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'test' }))
  sts.destroy()
  credentials = Credentials as typeof credentials
  test.calls.length = 0
  // The SDK looks at all of these, whatever this machine has.
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
  setEnvironment({ AWS_CONFIG_FILE: join(dir, 'config'), AWS_SHARED_CREDENTIALS_FILE: join(dir, 'none') })
  setEnvironment({ AWS_EC2_METADATA_DISABLED: 'true' })
})

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name]
  setEnvironment(environment)
  await test.close()
  await rm(dir, { recursive: true })
})

function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) process.env[name] = value
}

/** A server whose first request is never answered; resolves `asked` when that has come. */
async function startHanging(listener: RequestListener) {
  let requests = 0
  let noteAsked = () => {}
  const asked = new Promise<void>((resolve) => {
    noteAsked = resolve
  })
  const server = createServer((request, response) => {
    if (++requests === 1) noteAsked()
    else listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUps.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

/** Delivers one record, whose credentials hang at first. The time of credentials stands still while they are fetched. */
async function deliverOver(hang: Promise<unknown>, settings: Partial<DestinationSettings>) {
  const clock = new FakeClock({ wallTime: Date.now() })
  const pool = createClientPool({ clock })
  const configuration = parseSettings(test.settings({ clientConfig: {}, ...settings }))
  const delivery = deliveryOf(configuration, { pool })
  const close = async () => {
    await delivery.close()
    pool.close()
  }
  cleanUps.push(close)
  let isOver = false
  const outcome = delivery.deliver(records(1)).finally(() => {
    isOver = true
  })
  await hang
  await clock.advance(5_000)
  while (!isOver) {
    if (!pool.get(configuration).isWaitingForCredentials) await clock.advance(100)
    await new Promise(setImmediate)
  }
  return { outcome: (await outcome)[0]?.status, close }
}

const asJson = () =>
  JSON.stringify({
    AccessKeyId: credentials.AccessKeyId,
    SecretAccessKey: credentials.SecretAccessKey,
    Token: credentials.SessionToken,
    Expiration: credentials.Expiration.toISOString(),
  })

describe.each<[string, Partial<DestinationSettings>, string[]]>([
  ['without a role', { roleAddress: undefined }, ['PutRecordBatch']],
  ['that assume a role', {}, ['AssumeRole', 'PutRecordBatch']],
])('one fetch that hangs of credentials %s does not stop delivery', (_name, settings, actions) => {
  it('from a container', async () => {
    const { url, asked } = await startHanging((_, response) => response.end(asJson()))
    setEnvironment({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/v2/credentials` })
    expect((await deliverOver(asked, settings)).outcome).toBe('delivered')
    expect(test.calls.map(({ action }) => action)).toEqual(actions)
  })

  it('from EKS Pod Identity, which wants a token', async () => {
    let authorization: unknown
    const { url, asked } = await startHanging(({ headers }, response) => {
      authorization = headers.authorization
      response.end(asJson())
    })
    const token = join(dir, 'token')
    await writeFile(token, 'pod-token')
    setEnvironment({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: url,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token,
    })
    expect((await deliverOver(asked, settings)).outcome).toBe('delivered')
    expect(authorization).toBe('pod-token')
  })

  it('from STS, for the web identity of a pod', async () => {
    const { url, asked } = await startHanging((_, response) =>
      response.setHeader('content-type', 'text/xml').end(
        `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
          <AccessKeyId>${credentials.AccessKeyId}</AccessKeyId>
          <SecretAccessKey>${credentials.SecretAccessKey}</SecretAccessKey>
          <SessionToken>${credentials.SessionToken}</SessionToken>
          <Expiration>${credentials.Expiration.toISOString()}</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      ),
    )
    const token = join(dir, 'token')
    await writeFile(token, 'web-identity-token')
    setEnvironment({
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ROLE_ARN: ROLE,
      AWS_ENDPOINT_URL_STS: url,
    })
    expect((await deliverOver(asked, settings)).outcome).toBe('delivered')
  })

  it('from a credential_process, which is ended', async () => {
    const pidFile = join(dir, 'pid')
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials
    await writeFile(
      join(dir, 'answer'),
      JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, SessionToken, Expiration }),
    )
    const script = join(dir, 'credentials.sh')
    await writeFile(
      script,
      `if [ -e "${pidFile}" ]; then cat "${join(dir, 'answer')}"; else echo $$ > "${pidFile}"; exec sleep 600; fi`,
    )
    await writeFile(join(dir, 'config'), `[default]\ncredential_process = sh ${script}\n`)
    const pidOf = async () => Number(await readFile(pidFile, 'utf8').catch(() => ''))
    const hang = (async () => {
      while (!(await pidOf())) await new Promise(setImmediate)
    })()
    const { outcome, close } = await deliverOver(hang, settings)
    expect(outcome).toBe('delivered')
    await close()
    const pid = await pidOf()
    while (isAlive(pid)) await new Promise(setImmediate)
  })
})

it('a function that hangs once is asked again', async () => {
  let asked = () => {}
  const hang = new Promise<void>((resolve) => {
    asked = resolve
  })
  let calls = 0
  const { outcome } = await deliverOver(hang, {
    clientConfig: {
      credentials: async () => {
        asked()
        if (++calls === 1) await new Promise<never>(() => {})
        return { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' }
      },
    },
  })
  expect(outcome).toBe('delivered')
})

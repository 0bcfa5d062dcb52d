import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, connect, type Server } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type ConnectProxy, startConnectProxy } from '../../connect-proxy.js'
import { ROLE, startTestAws, type TestAws } from '../../integration/aws.js'
import { makeCertificate } from '../browser/tls-front.js'
import { tempDir } from '../temp-dir.js'
import { Cli, cli } from './spawn-cli.js'

const HOSTS = ['sts', 'firehose', 'sqs'].map((service) => `${service}.eu-west-1.amazonaws.com`)

const certificate = makeCertificate(HOSTS)
if (certificate === undefined) console.warn('SKIPPED: No openssl found on the PATH: there is no certificate.')
const ifCertified = certificate === undefined ? describe.skip : describe

const config = (more = '') => `
listen: { port: 0 }
sources:
  - id: src_web
    name: Website
    writeKey: web-key
    destination: { region: eu-west-1, roleAddress: ${ROLE}, mappedStreams: { '*': all } }
${more}`

ifCertified("a proxy that is the only way to AWS's own hosts", () => {
  let test: TestAws
  let tls: Server
  let proxy: ConnectProxy
  let cwd: string
  let env: Record<string, string>

  beforeEach(async () => {
    test = await startTestAws()
    const aws = Number(new URL(test.aws.endpoint).port)
    tls = createServer({ ...certificate }, (socket) => {
      const plain = connect(aws, '127.0.0.1')
      for (const end of [socket, plain]) end.on('error', () => {})
      socket.pipe(plain).pipe(socket)
    }).listen(0, '127.0.0.1')
    await once(tls, 'listening')
    const port = (tls.address() as AddressInfo).port
    proxy = await startConnectProxy({ routes: Object.fromEntries(HOSTS.map((host) => [host, port])) })
    cwd = tempDir()
    writeFileSync(join(cwd, 'ca.pem'), certificate?.cert ?? '')
    env = {
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
      AWS_SECRET_ACCESS_KEY: 'secret',
      NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem'),
      HTTPS_PROXY: proxy.url,
    }
  })

  afterEach(async () => {
    proxy.close()
    tls.close()
    await test.close()
  })

  const hosts = () => [...new Set(proxy.tunnels)].sort()

  it('is taken from HTTPS_PROXY by check', async () => {
    writeFileSync(join(cwd, 'analytics-firehose.yaml'), config())
    const { code, stdout, stderr } = await cli(['check', '--aws'], { cwd, env })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('AWS: all roles can be assumed')
    expect(hosts()).toEqual(['sts.eu-west-1.amazonaws.com:443'])
  })

  it('is taken from HTTPS_PROXY by serve, for Firehose, STS and SQS', async () => {
    const sqs = new SQSClient({
      region: 'eu-west-1',
      endpoint: test.aws.endpoint,
      credentials: { accessKeyId: 'AKIAEXAMPLE000000000', secretAccessKey: 'secret' },
    })
    await sqs.send(new CreateQueueCommand({ QueueName: 'spill' }))
    sqs.destroy()
    writeFileSync(
      join(cwd, 'analytics-firehose.yaml'),
      config('spill: https://sqs.eu-west-1.amazonaws.com/123456789012/spill'),
    )
    const run = new Cli(['serve'], { cwd, env })
    const url = await run.saw(/(http:\/\/127\.0\.0\.1:\d+)/)
    const response = await fetch(`${url}/v1/track`, {
      method: 'POST',
      body: JSON.stringify({ writeKey: 'web-key', userId: 'u', event: 'Signed up' }),
    })
    expect(response.status).toBe(200)
    expect(hosts()).toEqual([...HOSTS].sort().map((host) => `${host}:443`))
    expect(test.callsOf('PutRecordBatch')).toHaveLength(1)
    run.child.kill('SIGTERM')
    await run.ended()
  })

  it('is told from AWS where it wants a password', async () => {
    proxy.close()
    proxy = await startConnectProxy({
      refuse: (socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    })
    writeFileSync(join(cwd, 'analytics-firehose.yaml'), config())
    const { code, stderr } = await cli(['check', '--aws'], { cwd, env: { ...env, HTTPS_PROXY: proxy.url } })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /The proxy 127\.0\.0\.1:\d+ opened no tunnel to sts\.eu-west-1\.amazonaws\.com:443: it answered HTTP 407 \(STS in eu-west-1\); give the proxy's user name and password in its URL/,
    )
  })

  it('that signs anew is told from AWS, with the way to trust it', async () => {
    writeFileSync(join(cwd, 'analytics-firehose.yaml'), config())
    const { NODE_EXTRA_CA_CERTS: _, ...untrusting } = env
    const { code, stderr } = await cli(['check', '--aws'], { cwd, env: untrusting })
    expect(code).toBe(1)
    expect(stderr).toMatch(/self-signed certificate \(STS in eu-west-1\); .*NODE_EXTRA_CA_CERTS/)
  })
})

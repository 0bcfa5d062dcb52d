import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { ROLE, startTestAws, type TestAws } from '../../integration/aws.js'
import { tempDir } from '../temp-dir.js'
import { cli } from './spawn-cli.js'

const OTHER_ROLE = 'arn:aws:iam::123456789012:role/other'
const AWS_KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'secret-of-aws' }
const NO_AWS_KEYS = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nowhere' }

/** Sources whose IDs and keys begin with `secret`. */
function configOf(more = '', destination = ''): string {
  return `
sources:
  - id: secret-web
    name: Website
    writeKey: \${WEB_WRITE_KEY}
    destination:
      region: eu-west-1
      roleAddress: ${ROLE}
      mappedStreams: { page: page_views, track: [events, page_views] }${destination}
  - id: secret-app
    name: App
    writeKey: secret-app-key
    destination: { region: us-east-1, roleAddress: ${OTHER_ROLE}, mappedStreams: { '*': all }${destination.replace(/\n\s*/g, ', ')} }
${more}`
}

function withConfig(text: string): string {
  const cwd = tempDir()
  writeFileSync(join(cwd, 'analytics-firehose.yaml'), text)
  return cwd
}

const env = { WEB_WRITE_KEY: 'secret-web-key' }

const SUMMARY = `./analytics-firehose.yaml is right, and has 2 source(s):
  Website → page_views, events in eu-west-1, by ${ROLE}
  App → all in us-east-1, by ${OTHER_ROLE}
`

describe('check', () => {
  it('says where events go, and makes nothing', async () => {
    const cwd = withConfig(configOf('spill: ./spill\ndeadLetters: ./letters'))
    expect(await cli(['check'], { cwd, env })).toEqual({ code: 0, stdout: SUMMARY, stderr: '' })
    expect(readdirSync(cwd)).toEqual(['analytics-firehose.yaml'])
  })

  it('says which source is switched off, or has no role', async () => {
    const off = `
  - { id: secret-off, writeKey: secret-off-key, enabled: false, destination: { mappedStreams: { '*': all } } }
`
    const { stdout } = await cli(['check'], { cwd: withConfig(configOf(off)), env })
    expect(stdout).toContain(
      '  sources[2] (switched off) → all in us-west-2, by the AWS credentials of this machine\n',
    )
  })

  it.each([
    ['a variable that is not set', configOf(), {}],
    ['wrong settings', configOf('listen: { prt: 1 }\nspill: { dir: ./s }'), env],
    ['no YAML', 'sources: *', env],
  ])('fails as serve does: %s', async (_name, text, env) => {
    const cwd = withConfig(text)
    const checked = await cli(['check'], { cwd, env })
    expect(checked).toEqual(await cli(['serve'], { cwd, env }))
    expect(checked).toMatchObject({ code: 1, stdout: '' })
  })

  it('fails without a config file', async () => {
    const { code, stderr } = await cli(['check', '--config', 'x.yaml'], { cwd: tempDir() })
    expect([code, stderr]).toEqual([
      1,
      'error: x.yaml: cannot be read: there is no such file; create it, or name another with --config\n',
    ])
  })
})

describe('check --aws', () => {
  let test: TestAws | undefined

  afterEach(async () => {
    await test?.close()
    test = undefined
  })

  /** An AWS whose roles let these external IDs in, and a config file whose destinations are there. */
  async function start(ids: Record<string, string>, more = '') {
    const roles = Object.entries(ids).map(([arn, id]) => ({
      arn,
      trustPolicy: {
        Statement: [
          {
            Effect: 'Allow' as const,
            Principal: { AWS: 'arn:aws:iam::123456789012:root' },
            Action: 'sts:AssumeRole',
            Condition: { StringEquals: { 'sts:ExternalId': id } },
          },
        ],
      },
      permissionPolicy: { Statement: [] },
    }))
    test = await startTestAws({ roles })
    const { endpoint } = test.aws
    const cwd = withConfig(configOf(more, `\n      endpoint: ${endpoint}\n      stsEndpoint: ${endpoint}`))
    return { cwd, test, endpoint }
  }

  const TRUSTING = { [ROLE]: 'secret-web', [OTHER_ROLE]: 'secret-app' }

  it('assumes each role once, and makes no other call', async () => {
    const { cwd, test } = await start(TRUSTING)
    const { code, stdout, stderr } = await cli(['check', '--aws'], { cwd, env: { ...env, ...AWS_KEYS } })
    expect([code, stdout, stderr]).toEqual([0, `${SUMMARY}AWS: all roles can be assumed\n`, ''])
    expect(test.calls.map(({ action }) => action)).toEqual(['AssumeRole', 'AssumeRole'])
  })

  it('tries the queue of the spill, and the place of dead letters', async () => {
    const { cwd, test, endpoint } = await start(TRUSTING)
    const write = (letters: string) =>
      writeFileSync(
        join(cwd, 'analytics-firehose.yaml'),
        configOf(
          `spill: ${endpoint}/123456789012/spill\ndeadLetters: ${letters}`,
          `\n      endpoint: "${endpoint}"\n      stsEndpoint: "${endpoint}"`,
        ),
      )
    const check = () => cli(['check', '--aws'], { cwd, env: { ...env, ...AWS_KEYS } })
    write(`{ bucket: letters, endpoint: "${endpoint}" }`)
    const { code, stderr } = await check()
    expect([code, stderr.split('\n')]).toEqual([
      1,
      [
        expect.stringMatching(
          /^error: spill: The spill queue .* cannot be used in us-west-2 \(QueueDoesNotExist: /,
        ),
        expect.stringMatching(
          /^error: deadLetters: s3:\/\/letters\/ cannot be written .*NoSuchBucket.*make the bucket/,
        ),
        '',
      ],
    ])
    test.aws.createQueue('spill')
    test.aws.createQueue('letters')
    write(`${endpoint}/123456789012/letters`)
    expect(await check()).toMatchObject({ code: 0, stderr: '' })
  })

  it('names the sources whose role cannot be assumed, the reason and the fix, and no secret', async () => {
    const { cwd, endpoint } = await start({ ...TRUSTING, [OTHER_ROLE]: 'secret-other' })
    writeFileSync(
      join(cwd, 'analytics-firehose.yaml'),
      configOf(
        `
  - id: secret-third
    name: Third
    writeKey: secret-third-key
    destination: { region: us-east-1, secretId: secret-app, roleAddress: ${OTHER_ROLE}, mappedStreams: { page: p }, endpoint: "${endpoint}", stsEndpoint: "${endpoint}" }
`,
        `\n      endpoint: "${endpoint}"\n      stsEndpoint: "${endpoint}"`,
      ),
    )
    const { code, stdout, stderr } = await cli(['check', '--aws'], { cwd, env: { ...env, ...AWS_KEYS } })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(
          `^error: App, Third: Cannot assume ${OTHER_ROLE}: User: .* is not authorized to perform: sts:AssumeRole .*; check that the role exists, that its trust policy names .*\n$`,
        ),
      ),
    ])
    expect(stdout + stderr).not.toContain('secret-')
  })

  it('leaves out what is switched off', async () => {
    const more = `
  - { id: secret-off, writeKey: secret-off-key, enabled: false, destination: { roleAddress: ${ROLE}-2, mappedStreams: { '*': all } } }
`
    const { cwd } = await start(TRUSTING, more)
    expect(await cli(['check', '--aws'], { cwd, env: { ...env, ...AWS_KEYS } })).toMatchObject({ code: 0 })
  })

  it('says so where there are no AWS credentials', async () => {
    const { cwd } = await start(TRUSTING)
    const { code, stderr } = await cli(['check', '--aws'], { cwd, env: { ...env, ...NO_AWS_KEYS } })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: Website: Cannot assume .*; give this process AWS credentials to assume it with/,
    )
  })

  it('asks no STS for a source without a role', async () => {
    const cwd = withConfig(
      `sources: [{ id: secret-web, writeKey: k, destination: { mappedStreams: { '*': all } } }]`,
    )
    const found = await cli(['check', '--aws'], { cwd, env: AWS_KEYS })
    expect(found).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nAWS: there are credentials\n$/) })
    const { code, stderr } = await cli(['check', '--aws'], { cwd, env: NO_AWS_KEYS })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: sources\[0\]: .*; give this process AWS credentials, from .*\n$/),
    ])
  })

  it('ends in time where nothing comes from what has the credentials', async () => {
    const { cwd } = await start(TRUSTING)
    const container = createServer(() => {}).listen(0, '127.0.0.1')
    await once(container, 'listening')
    const url = `http://127.0.0.1:${(container.address() as AddressInfo).port}/credentials`
    const { code, stderr } = await cli(['check', '--aws'], {
      cwd,
      env: { ...env, ...NO_AWS_KEYS, AWS_CONTAINER_CREDENTIALS_FULL_URI: url },
    })
    container.closeAllConnections()
    container.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /Website: .*No AWS credentials came from the container's endpoint http:.* within 5000 ms \(STS in eu-west-1\); what gives the credentials does not answer: look at the ECS agent/,
    )
  })

  it('says so where STS cannot be reached', async () => {
    const { cwd, test: aws } = await start(TRUSTING)
    await aws.aws.close()
    const { code, stderr } = await cli(['check', '--aws'], { cwd, env: { ...env, ...AWS_KEYS } })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^error: Website: AWS cannot be asked for ${ROLE}: .*; see that its STS can be reached`),
    )
  })
})

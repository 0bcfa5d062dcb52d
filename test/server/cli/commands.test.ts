import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { listen } from '../proxy-harness.js'
import { tempDir } from '../temp-dir.js'
import { Cli, cli } from './spawn-cli.js'

const CONFIG = `
listen: { port: 0 }
sources:
  - id: src_web
    name: Website
    writeKey: \${WEB_WRITE_KEY}
    destination:
      region: eu-west-1
      roleAddress: arn:aws:iam::123456789012:role/segment-firehose
      mappedStreams:
        - { event: User Registered, stream: new_users }
  - id: src_app
    name: App
    writeKey: \${APP_WRITE_KEY:-app-key}
    destination:
      region: eu-west-1
      mappedStreams: { '*': everything }
`

/** A directory with a config file of that content. */
function withConfig(text = CONFIG) {
  const cwd = tempDir()
  writeFileSync(join(cwd, 'analytics-firehose.yaml'), text)
  return cwd
}

it('serve says why nothing can be kept in the spill', async () => {
  const cwd = withConfig(`${CONFIG}\nspill: analytics-firehose.yaml`)
  const { code, stdout, stderr } = await cli(['serve'], { cwd, env: { WEB_WRITE_KEY: 'k' } })
  expect([code, stdout]).toEqual([1, ''])
  // macOS names the directory by another path than the one it was made under.
  const path = join(realpathSync(cwd), 'analytics-firehose.yaml')
  expect(stderr).toContain(
    `error: spill: got "analytics-firehose.yaml", which is ${path}, in which nothing can be kept (EEXIST`,
  )
  expect(stderr).toContain('there is a file of that name: give another directory')
})

describe('help', () => {
  it.each([
    [['--help'], ['serve', 'check', 'replay', 'local-aws', 'iam', 'Examples:']],
    [
      ['help', 'serve'],
      [
        '--config <file>',
        '--host <host>',
        '--port <port>',
        '--metrics-port <port>',
        '--max-header-bytes <bytes>',
        '--local-aws [dir]',
        'Examples:',
      ],
    ],
    [
      ['serve', '--help'],
      ['--config <file>', 'PORT, HOST'],
    ],
    [
      ['replay', '--help'],
      ['--from <path>', '--dry-run', 'Examples:'],
    ],
    [
      ['local-aws', '--help'],
      ['--port <port>', '--dir <dir>', 'Examples:'],
    ],
    [
      ['check', '--help'],
      ['--config <file>', '--aws', 'Examples:'],
    ],
    [
      ['iam', '--help'],
      ['--principal <arn>', '--account <id>', 'Examples:'],
    ],
  ])('is there: %j', async (args, parts) => {
    const { code, stdout, stderr } = await cli(args, { cwd: tempDir() })
    expect([code, stderr]).toEqual([0, ''])
    for (const part of parts) expect(stdout).toContain(part)
    expect(stdout).toMatch(/^Usage: analytics-firehose /)
  })

  it('tells the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
    expect(await cli(['--version'], { cwd: tempDir() })).toEqual({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
  })
})

describe('wrong usage ends with 2 and a line', () => {
  it.each([
    [['nope'], "error: unknown command 'nope'\n"],
    [['serv'], "error: unknown command 'serv'\n(Did you mean serve?)\n"],
    [['serve', '--prot', '1'], "error: unknown option '--prot'\n(Did you mean --port?)\n"],
    [['serve', 'extra'], "error: too many arguments for 'serve'. Expected 0 arguments but got 1.\n"],
    [
      ['serve', '--port', '65536'],
      "error: option '-p, --port <port>' argument '65536' is invalid. Use a whole number from 0 to 65535.\n",
    ],
    [
      ['serve', '--max-header-bytes', '16k'],
      "error: option '--max-header-bytes <bytes>' argument '16k' is invalid. Use a whole number of bytes from 1024 to 1048576.\n",
    ],
    [
      ['iam', '--principal', 'me'],
      "error: option '--principal <arn>' argument 'me' is invalid. Give an ARN, such as arn:aws:iam::111122223333:role/proxy, or the ID of an account.\n",
    ],
    [
      ['iam', '--kms-key', 'alias/events'],
      "error: option '--kms-key <arn>' argument 'alias/events' is invalid. Give the KMS key's ARN, arn:aws:kms:REGION:ACCOUNT:key/ID; policies take no alias of it.\n",
    ],
    [
      ['iam', '--only', 'x'],
      "error: option '--only <policy>' argument 'x' is invalid. Allowed choices are permissions, trust.\n",
    ],
  ])('%j', async (args, stderr) => {
    expect(await cli(args, { cwd: tempDir() })).toEqual({ code: 2, stdout: '', stderr })
  })

  it('and help where there is no command', async () => {
    const { code, stdout, stderr } = await cli([], { cwd: tempDir() })
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^Usage: /)
  })
})

describe('what is wrong ends with 1 and a line', () => {
  it('without a config file', async () => {
    expect(await cli(['serve'], { cwd: tempDir() })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'error: ./analytics-firehose.yaml: cannot be read: there is no such file; create it, name another with --config, or try it out with --local-aws\n',
    })
    const { code, stderr } = await cli(['serve', '--local-aws', '--config', 'x.yaml'], { cwd: tempDir() })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: x\.yaml: cannot be read: .*\n$/)])
  })

  it('with several wrong settings, a line each', async () => {
    const cwd = withConfig(CONFIG.replace('roleAddress', 'roleAdress').replace('port: 0', 'prt: 0'))
    expect(await cli(['serve'], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr: [
        'error: ./analytics-firehose.yaml: sources[0].writeKey: the environment variable WEB_WRITE_KEY is not set; set it, or write ${WEB_WRITE_KEY:-default}',
        'error: ./analytics-firehose.yaml: listen.prt: is not a setting. Did you mean `port`?',
        'error: ./analytics-firehose.yaml: sources[0].destination.roleAdress: is not a setting. Did you mean `roleAddress`?',
        '',
      ].join('\n'),
    })
  })

  it('with a config file that is no YAML', async () => {
    const { code, stderr } = await cli(['serve'], { cwd: withConfig('sources:\n  - "x') })
    expect([code, stderr]).toEqual([
      1,
      'error: ./analytics-firehose.yaml: is not valid YAML: Missing closing "quote at line 2, column 7\n',
    ])
  })

  it.each([
    ['serve', ['serve', '--local-aws']],
    ['local-aws', ['local-aws']],
  ])('with a busy port: %s', async (_name, args) => {
    const { port } = new URL(await listen((_req, res) => void res.end()))
    const { code, stderr } = await cli([...args, '--port', port], { cwd: tempDir() })
    expect(stderr).toMatch(new RegExp(`^error: .*annot listen on 127.0.0.1:${port}: the port is in use.*\n$`))
    expect(code).toBe(1)
  })

  it('with a PORT that is none', async () => {
    const { code, stderr } = await cli(['serve', '--local-aws'], { cwd: tempDir(), env: { PORT: 'abc' } })
    expect([code, stderr]).toEqual([1, 'error: PORT: got "abc"; use a whole number from 0 to 65535\n'])
  })
})

describe('iam', () => {
  it('prints policies on stdout and headings on stderr, without any write key', async () => {
    const { code, stdout, stderr } = await cli(['iam'], { cwd: withConfig() })
    expect(code).toBe(0)
    expect(stdout.match(/"Version": "2012-10-17"/g)).toHaveLength(2)
    expect(stdout).toContain('"sts:ExternalId": "src_web"')
    expect(stderr).toBe(
      [
        '# arn:aws:iam::123456789012:role/segment-firehose, for Website',
        '# Permission policy, what it may do: on stdout',
        '# Trust policy, who may assume it; name who runs this package with --principal ARN: on stdout',
        '# the AWS credentials of this machine, for App',
        '# Permission policy, what it may do: give --account ID, as there is no role that tells the account',
        '# Trust policy, who may assume it: there is none, as no role is assumed',
        '',
      ].join('\n'),
    )
  })

  it('allows the use of the keys that it is given', async () => {
    const keys = ['a', 'b'].map((id) => `arn:aws:kms:eu-west-1:123456789012:key/${id}`)
    const role = 'arn:aws:iam::123456789012:role/segment-firehose'
    const args = [
      'iam',
      '--role',
      role,
      '--only',
      'permissions',
      ...keys.flatMap((key) => ['--kms-key', key]),
    ]
    const { stdout } = await cli(args, { cwd: withConfig() })
    expect(JSON.parse(stdout).Statement[1]).toEqual({
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: keys,
    })
  })

  it('needs no module of a transform', async () => {
    const cwd = withConfig()
    const destination = { mappedStreams: { '*': 'all' }, transform: './elsewhere.mjs' }
    const config = { sources: [{ id: 'src_app', writeKey: 'k', destination }] }
    writeFileSync(join(cwd, 'app.yaml'), JSON.stringify(config))
    const args = ['iam', '--config', 'app.yaml', '--account', '444455556666', '--only', 'permissions']
    expect(await cli(args, { cwd })).toMatchObject({ code: 0, stderr: '' })
    expect(await cli(['check', '--config', 'app.yaml'], { cwd })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/transform: ".\/elsewhere.mjs" is not there/),
    })
  })

  it('prints one document for the AWS CLI', async () => {
    const args = ['iam', '--role', 'arn:aws:iam::123456789012:role/segment-firehose', '--only', 'permissions']
    const { stdout } = await cli(args, { cwd: withConfig() })
    expect(JSON.parse(stdout)).toMatchObject({
      Statement: [{ Resource: ['arn:aws:firehose:eu-west-1:123456789012:deliverystream/new_users'] }],
    })
  })

  it('prints the only trust policy that there is, and the permissions of no role by its name', async () => {
    const cwd = withConfig()
    const trust = await cli(['iam', '--only', 'trust'], { cwd })
    expect(JSON.parse(trust.stdout)).toMatchObject({ Statement: [{ Action: 'sts:AssumeRole' }] })
    const args = ['iam', '--role', 'none', '--account', '444455556666', '--only', 'permissions']
    expect((await cli(args, { cwd })).stdout).toContain(':444455556666:deliverystream/')
  })

  it.each([
    [
      ['--only', 'permissions'],
      '--only: there are several roles; name one with --role: arn:aws:iam::123456789012:role/segment-firehose, none (the AWS credentials of this machine)',
    ],
    [['--only', 'trust', '--config', 'app.yaml'], '--only trust: there is none, as no role is assumed'],
    [
      ['--only', 'permissions', '--config', 'app.yaml'],
      '--only permissions: give --account ID, as there is no role that tells the account',
    ],
  ])('prints nothing where that would be no one document: %j', async (args, problem) => {
    const cwd = withConfig()
    const app = { id: 'src_app', writeKey: 'k', destination: { mappedStreams: { '*': 'all' } } }
    writeFileSync(join(cwd, 'app.yaml'), JSON.stringify({ sources: [app] }))
    expect(await cli(['iam', ...args], { cwd })).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: ${problem}\n`,
    })
  })

  it('prints everything as one document', async () => {
    const principal = 'arn:aws:iam::111122223333:role/proxy'
    const args = ['iam', '--json', '--account', '444455556666', '--principal', principal]
    const { stdout, stderr } = await cli(args, { cwd: withConfig() })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject([
      { sources: ['Website'], trust: { Statement: [{ Principal: { AWS: principal } }] } },
      { role: null, sources: ['App'], trust: null, permissions: { Statement: [{ Effect: 'Allow' }] } },
    ])
  })

  it('trusts the role of a session, and says so', async () => {
    const session = 'arn:aws:sts::111122223333:assumed-role/proxy/i-0abc'
    const role = 'arn:aws:iam::123456789012:role/segment-firehose'
    const args = ['iam', '--role', role, '--only', 'trust', '--principal', session]
    const { code, stdout, stderr } = await cli(args, { cwd: withConfig() })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      Statement: [{ Principal: { AWS: 'arn:aws:iam::111122223333:role/proxy' } }],
    })
    expect(stderr).toMatch(/^# --principal: took the role of this session, .*\n$/)
  })

  it('says so where no source has the role', async () => {
    const role = 'arn:aws:iam::123456789012:role/other'
    const { code, stderr } = await cli(['iam', '--role', role], { cwd: withConfig() })
    expect(code).toBe(1)
    expect(stderr).toBe(
      `error: --role: no source assumes ${role}; there is arn:aws:iam::123456789012:role/segment-firehose, none (the AWS credentials of this machine)\n`,
    )
  })

  it('outlives a reader that stops reading', async () => {
    const run = new Cli(['iam'], { cwd: withConfig() })
    run.child.stdout.destroy()
    const { code, stderr } = await run.ended()
    expect(code).toBe(0)
    expect(stderr).not.toContain('EPIPE')
  })
})

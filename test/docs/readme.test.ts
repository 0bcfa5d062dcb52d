import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { parse as parseYaml } from 'yaml'
import { readSettings } from '../../plugin/settings/configuration.js'
import { parseConfigFile } from '../../server/config/config-file.js'
import { findAwsCli, requireAwsCliInCi } from '../aws-cli.js'
import { startTestAws } from '../integration/aws.js'
import { Cli } from '../server/cli/spawn-cli.js'
import { parseExposition } from '../server/metrics/parse-exposition.js'
import { tempDir } from '../server/temp-dir.js'
import { block, links, README, runnable } from './readme.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** A folder as a user has it after `npm install analytics-firehose`. */
function userFolder(): string {
  const dir = tempDir()
  mkdirSync(join(dir, 'node_modules', '@segment'), { recursive: true })
  symlinkSync(ROOT, join(dir, 'node_modules', 'analytics-firehose'))
  for (const name of ['express', '@segment/analytics-node']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(dir, 'node_modules', name))
  }
  return dir
}

async function runScript(dir: string, code: string): Promise<string> {
  const file = join(dir, 'script.mjs')
  writeFileSync(file, code)
  const { stdout } = await run(process.execPath, ['--no-warnings', file], { cwd: dir, timeout: 15_000 })
  return stdout
}

function lines(dir: string, stream: string): Record<string, unknown>[] {
  const files = readdirSync(join(dir, stream), { recursive: true, withFileTypes: true })
  const texts = files
    .filter((it) => it.isFile())
    .map((it) => readFileSync(join(it.parentPath, it.name), 'utf8'))
  return texts
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function exited(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('exit', resolve))
}

describe("the README's blocks", () => {
  it('all have a test here', () => {
    expect(runnable().sort()).toEqual([
      'aws-cli',
      'browser',
      'check',
      'express',
      'faults',
      'host',
      'kms',
      'many-sources',
      'mapper',
      'metrics',
      'plugin',
      'proxy-settings',
      'redact',
      'replay',
      'scrape',
      'sessions',
      'try',
    ])
  })

  it('link to what is there', () => {
    for (const target of links()) expect([target, existsSync(join(ROOT, target))]).toEqual([target, true])
  })

  it('plugin: registers, and lets the process end', async () => {
    expect(await runScript(userFolder(), block('plugin'))).toBe('')
  })

  it('mapper: gives what its comment says', async () => {
    const code = block('mapper').replace(
      /^map\((.*)\) \/\/ .*$/m,
      'console.log(map($1).map((it) => it.stream).join())',
    )
    expect(await runScript(userFolder(), code)).toBe('page_views,audit\n')
  })

  it('redact: leaves out what it names', async () => {
    const dir = userFolder()
    writeFileSync(join(dir, 'redact.mjs'), block('redact'))
    const events = [
      { type: 'identify', traits: { email: 'e@example.com', phone: '1', plan: 'Pro' } },
      { type: 'page', context: { page: { path: '/internal/x' } } },
      { type: 'track', event: 'E' },
    ]
    const code = `import redact from './redact.mjs'\nconsole.log(JSON.stringify(${JSON.stringify(events)}.map(redact)))`
    expect(JSON.parse(await runScript(dir, code))).toEqual([
      { type: 'identify', traits: { plan: 'Pro' } },
      null,
      { type: 'track', event: 'E' },
    ])
  })

  it('try: leaves the records, by the calls that its comment tells', async () => {
    const dir = userFolder()
    const stdout = await runScript(dir, block('try'))
    expect(stdout).toContain('{ AssumeRole: 1, PutRecordBatch: 3 }')
    expect(stdout).toContain('new_users: { delivered: 1, spilled: 0, failed: 0 }')
    expect(lines(join(dir, 'out'), 'new_users')).toMatchObject([
      { type: 'track', event: 'User Registered', properties: { plan: 'Pro Annual' }, userId: 'u1' },
    ])
    expect(lines(join(dir, 'out'), 'page_views')).toMatchObject([{ type: 'page', name: 'Home' }])
    expect(lines(join(dir, 'out'), 'everything')).toHaveLength(1)
  })

  it('browser: is what the package takes', async () => {
    // What it does in a browser stands in test/server/browser.
    const code = block('browser').replace(
      /^import .*$/m,
      'const seen = []\nconst AnalyticsBrowser = { load: (it) => seen.push(it) }',
    )
    const dir = userFolder()
    expect(await runScript(dir, `${code}\nconsole.log(JSON.stringify(seen))`)).toBe(
      '[{"writeKey":"my-write-key","cdnURL":"https://events.example.com"}]\n',
    )
  })

  it('proxy-settings: are right, with the variables that they name', () => {
    const env = { WEB_WRITE_KEY: 'new', OLD_WEB_WRITE_KEY: 'old' }
    expect(parseConfigFile(block('proxy-settings'), { env })).toMatchObject({
      configuration: {
        trustProxy: 1,
        customPath: '/e7',
        sources: [{ writeKeys: ['new', 'old'], ip: 'truncate', forward: { enabled: true } }],
      },
    })
    expect(parseConfigFile(block('proxy-settings'), { env: { ...env, FORWARD: 'false' } })).toMatchObject({
      configuration: { sources: [{ forward: { enabled: false } }] },
    })
  })

  it('many-sources: have what they share, but for what they say themselves', () => {
    const env = { WEB_WRITE_KEY: 'web', APP_WRITE_KEY: 'app' }
    const region = 'eu-west-1'
    expect(parseConfigFile(block('many-sources'), { env })).toMatchObject({
      configuration: {
        sources: [
          { id: 'src_web', destinations: [{ region, mapping: [{ event: '*', stream: 'everything' }] }] },
          { id: 'src_app', destinations: [{ region, mapping: [{ event: '*', stream: 'app' }] }] },
        ],
      },
    })
  })

  it('kms, sessions: are settings of a destination', () => {
    const settings = {
      ...(parseYaml(block('kms')) as object),
      ...(parseYaml(block('sessions')) as object),
      region: 'eu-west-1',
    }
    const read = readSettings(settings, { env: {} })
    expect(read).toMatchObject({
      configuration: {
        kmsKeys: { everything: expect.stringMatching(/^arn:aws:kms:eu-west-1:/) },
        assumeRole: { sessionName: 'events-web', tags: { team: 'web', stage: 'prod' } },
      },
    })
  })

  it('faults: delivers all, and counts what it sent again', async () => {
    const dir = userFolder()
    expect(await runScript(dir, block('faults'))).toMatch(/^true [1-9]\d*\n$/)
    expect(lines(join(dir, 'out'), 'everything')).toHaveLength(1_000)
  })

  it('express: takes events beside other routes', async () => {
    const test = await startTestAws()
    const dir = userFolder()
    // The port of the block may be taken here; the endpoint and the credentials are what AWS gives to a server there.
    const code = block('express').replace(
      "3000, '127.0.0.1')",
      "0, '127.0.0.1', function () { console.log(this.address().port) })",
    )
    writeFileSync(join(dir, 'app.mjs'), code)
    const child = spawn(process.execPath, ['--no-warnings', 'app.mjs'], {
      cwd: dir,
      env: {
        PATH: process.env['PATH'],
        WEB_WRITE_KEY: 'k',
        AWS_ENDPOINT_URL: test.aws.endpoint,
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
        AWS_SECRET_ACCESS_KEY: 'any',
      },
    })
    const port = await new Promise((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data).trim())),
    )
    const response = await fetch(`http://127.0.0.1:${port}/analytics/v1/track`, {
      method: 'POST',
      body: JSON.stringify({ writeKey: 'k', event: 'User Registered', userId: 'u1' }),
    })
    expect([response.status, await response.json()]).toEqual([200, { success: true }])
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('My app')
    expect((await fetch(`http://127.0.0.1:${port}/v1/track`, { method: 'POST' })).status).toBe(404)
    expect(await test.lines('new_users')).toHaveLength(1)
    child.kill()
    await exited(child)
    await test.close()
  })

  it('replay: counts, then sends the dead letters of `serve`', async () => {
    const test = await startTestAws()
    const dir = userFolder()
    const config = block('analytics-firehose.yaml').replace(
      'region: eu-west-1',
      `region: eu-west-1\n      endpoint: ${test.aws.endpoint}\n      stsEndpoint: ${test.aws.endpoint}`,
    )
    writeFileSync(join(dir, 'analytics-firehose.yaml'), config)
    mkdirSync(join(dir, 'dead-letters'))
    const at = '2026-01-03T00:00:00.000Z'
    const letter = {
      at,
      reason: 'r',
      code: 'ERR_RECORD_REJECTED',
      source: 'src_web',
      stream: null,
      messageId: 'm1',
    }
    const data = {
      type: 'track',
      event: 'User Registered',
      userId: 'u1',
      messageId: 'm1',
      projectId: 'src_web',
    }
    writeFileSync(join(dir, 'dead-letters', '2026-01-03.ndjson'), `${JSON.stringify({ ...letter, data })}\n`)
    const shell = `set -euo pipefail
      npx() { shift; '${process.execPath}' --no-warnings '${ROOT}dist/server/bin.js' "$@"; }
      ${block('replay')}`
    const { stdout } = await run('bash', ['-c', shell], {
      cwd: dir,
      timeout: 30_000,
      env: {
        PATH: process.env['PATH'],
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
        AWS_SECRET_ACCESS_KEY: 'any',
      },
    })
    expect(stdout).toMatch(/Would be sent: 1\n {2}Website → new_users: 1\n(.|\n)*Delivered: 1\n/)
    expect(await test.lines('new_users')).toHaveLength(1)
    expect(await test.lines('everything')).toHaveLength(1)
    await test.close()
  }, 30_000)

  it('check: finds the file right, and its role to be assumed', async () => {
    const test = await startTestAws()
    const dir = userFolder()
    const config = block('analytics-firehose.yaml').replace(
      'region: eu-west-1',
      `region: eu-west-1\n      endpoint: ${test.aws.endpoint}\n      stsEndpoint: ${test.aws.endpoint}`,
    )
    writeFileSync(join(dir, 'analytics-firehose.yaml'), config)
    const shell = `set -euo pipefail
      npx() { shift; '${process.execPath}' --no-warnings '${ROOT}dist/server/bin.js' "$@"; }
      ${block('check')}`
    const { stdout } = await run('bash', ['-c', shell], {
      cwd: dir,
      timeout: 30_000,
      env: {
        PATH: process.env['PATH'],
        WEB_WRITE_KEY: 'k',
        AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
        AWS_SECRET_ACCESS_KEY: 'any',
      },
    })
    expect(stdout).toMatch(
      / {2}Website → new_users, everything in eu-west-1, by arn:.*\n(.|\n)*AWS: all roles/,
    )
    expect(test.calls.map(({ action }) => action)).toEqual(['AssumeRole'])
    await test.close()
  }, 30_000)

  it('metrics and scrape: `serve` has the page, and Prometheus would find it there', async () => {
    const config = `${block('analytics-firehose.yaml')}\n${block('metrics')}`
    expect(parseConfigFile(config, { env: { WEB_WRITE_KEY: 'k' } })).toMatchObject({
      configuration: { metrics: { host: undefined, port: 9464 } },
    })
    // The path is Prometheus's default.
    expect(parseYaml(block('scrape'))).toEqual({
      scrape_configs: [{ job_name: 'analytics-firehose', static_configs: [{ targets: ['127.0.0.1:9464'] }] }],
    })
    const dir = userFolder()
    writeFileSync(join(dir, 'analytics-firehose.yaml'), config.replace('9464', '0'))
    const server = new Cli(['serve', '--port', '0', '--local-aws', './out'], {
      cwd: dir,
      env: { WEB_WRITE_KEY: 'k' },
    })
    const url = await server.saw(/^Metrics: (http:\/\/127\.0\.0\.1:\d+\/metrics)$/m)
    await fetch(`${await server.saw(/^Listening on (.*)$/m)}/v1/page`, {
      method: 'POST',
      body: JSON.stringify({ writeKey: 'k', userId: 'u1' }),
    })
    const text = await (await fetch(url)).text()
    expect(text).toContain('records_delivered_total{source="Website",stream="everything"} 1\n')
    const told = [...parseExposition(text).keys()].map((name) => name.replace(/^analytics_firehose_/, ''))
    expect(told.filter((name) => !README.includes(`\`${name}\``))).toEqual([])
    server.child.kill('SIGTERM')
    expect((await server.ended()).code).toBe(0)
  })

  it('analytics-firehose.yaml and host: a real SDK sends to `serve`, which delivers', async () => {
    const dir = userFolder()
    writeFileSync(join(dir, 'analytics-firehose.yaml'), block('analytics-firehose.yaml'))
    const server = new Cli(['serve', '--port', '0', '--local-aws', './out'], {
      cwd: dir,
      env: { WEB_WRITE_KEY: 'my-write-key' },
    })
    const url = await server.saw(/Listening on (http:\S+)/)
    await runScript(
      dir,
      `import { Analytics } from '@segment/analytics-node'
      ${block('host').replace('http://127.0.0.1:8080', url)}
      analytics.track({ userId: 'u1', event: 'User Registered' })
      analytics.identify({ userId: 'u1' })
      await analytics.closeAndFlush()`,
    )
    server.child.kill('SIGTERM')
    expect((await server.ended()).code).toBe(0)
    expect(lines(join(dir, 'out'), 'new_users')).toMatchObject([{ event: 'User Registered' }])
    expect(lines(join(dir, 'out'), 'everything')).toHaveLength(2)
  })
})

const awsCli = findAwsCli()
requireAwsCliInCi(awsCli)

describe("the README's walk with the AWS CLI", () => {
  const withCli = awsCli === undefined ? it.skip : it

  withCli(
    'runs against the local AWS as far as that covers it, and its policies let the role in',
    async () => {
      const test = await startTestAws({ roles: [], autoCreateStreams: false })
      const dir = userFolder()
      writeFileSync(join(dir, 'analytics-firehose.yaml'), block('analytics-firehose.yaml'))
      // IAM and S3 are not covered: what the walk gives them is kept, and the role is made of it.
      const shell = `set -euo pipefail
      aws() {
        case $1 in
          s3api) ;;
          iam) local role=$4 document="\${!#}"; printf '%s' "$document" > "$role-$2.json" ;;
          *) if [ "$2" = assume-role ]; then touch ready; while [ ! -e go ]; do sleep 0.05; done; fi
             '${awsCli}' --endpoint-url '${test.aws.endpoint}' "$@" ;;
        esac
      }
      npx() { shift; '${process.execPath}' --no-warnings '${ROOT}dist/server/bin.js' "$@" 2>/dev/null; }
      ${block('aws-cli')}`
      const child = run('bash', ['-c', shell], {
        cwd: dir,
        timeout: 60_000,
        env: {
          PATH: process.env['PATH'],
          HOME: dir,
          AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
          AWS_SECRET_ACCESS_KEY: 'any',
          AWS_DEFAULT_REGION: 'eu-west-1',
          AWS_EC2_METADATA_DISABLED: 'true',
          AWS_PAGER: '',
        },
      })
      let isOver = false
      void child.finally(() => (isOver = true)).catch(() => {})
      while (!existsSync(join(dir, 'ready')) && !isOver) await new Promise(setImmediate)
      const policy = (name: string) => JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8'))
      test.aws.setRoles([
        {
          arn: 'arn:aws:iam::123456789012:role/segment-firehose',
          trustPolicy: policy('segment-firehose-create-role'),
          permissionPolicy: policy('segment-firehose-put-role-policy'),
        },
      ])
      writeFileSync(join(dir, 'go'), '')
      const { stdout } = await child
      expect(stdout).toContain('arn:aws:sts::123456789012:assumed-role/segment-firehose/try')
      expect(stdout).toContain('ACTIVE')
      expect(policy('firehose-to-s3-put-role-policy')).toMatchObject({ Statement: [{ Effect: 'Allow' }] })
      expect(await test.lines('new_users')).toEqual(['{"try":true}'])
      await test.close()
    },
    90_000,
  )
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { Analytics } from '@segment/analytics-node'
import express from 'express'
import { readProxyConfig } from '../../server/config/configuration.js'
import type { ProxyConfig } from '../../server/config/proxy-config.js'
import { rolePolicies } from '../../server/iam.js'
import { type FirehoseProxy, firehoseProxy } from '../../server/index.js'
import { type LocalAws, type LocalAwsRole, startLocalAws } from '../../server/local-aws/index.js'
import { basic, listen } from './proxy-harness.js'
import { tempDir } from './temp-dir.js'

const ROLE = 'arn:aws:iam::123456789012:role/segment-firehose'

let aws: LocalAws | undefined
let proxy: FirehoseProxy | undefined

afterEach(async () => {
  await proxy?.close({ timeout: 0 })
  await aws?.close()
})

/** Two sources of one role, with external IDs of their own. */
function configFor(endpoint: string, lines: string[] = []): ProxyConfig {
  const log = (line: unknown) => void lines.push(String(line))
  const source = (name: string) => ({
    id: `src_${name}`,
    name,
    writeKey: `${name}-key`,
    destination: {
      region: 'eu-west-1',
      roleAddress: ROLE,
      mappedStreams: { 'User Registered': 'new_users', '*': name },
      endpoint,
      stsEndpoint: endpoint,
      deliveryTimeout: 1_000,
      clientConfig: { credentials: { accessKeyId: 'AKIALOCALAWSEXAMPLE0', secretAccessKey: 'secret' } },
    },
  })
  return { logger: { info: log, warn: log, error: log }, sources: [source('web'), source('app')] }
}

/** A local AWS that knows the role as `analytics-firehose iam` prints it for these sources. */
async function localAws(names: readonly string[]): Promise<LocalAws> {
  const read = readProxyConfig(configFor('http://127.0.0.1:1'), { env: {} })
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  const known = read.configuration.sources.filter(({ name }) => names.includes(name))
  const roles = rolePolicies(known).map(({ role, permissions, trust }) => ({
    arn: role,
    trustPolicy: trust,
    permissionPolicy: permissions,
  }))
  aws = await startLocalAws({
    dir: tempDir(),
    roles: roles as unknown as readonly LocalAwsRole[],
    autoCreateStreams: true,
  })
  return aws
}

async function records({ dir, flush }: LocalAws, stream: string): Promise<Record<string, unknown>[]> {
  await flush()
  return readdirSync(join(dir, stream), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .flatMap((file) => readFileSync(join(file.parentPath, file.name), 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line))
}

const send = (url: string, writeKey: string, userId: string) =>
  fetch(`${url}/analytics/v1/track`, {
    method: 'POST',
    headers: { authorization: basic(writeKey) },
    body: JSON.stringify({ event: 'User Registered', userId }),
  })

describe('the proxy, with the AWS SDK and a local AWS that enforces what `iam` prints', () => {
  it('delivers for two sources, each with its own external ID', async () => {
    const local = await localAws(['web', 'app'])
    proxy = firehoseProxy(configFor(local.endpoint))
    const url = await listen(express().use('/analytics', proxy))
    expect((await send(url, 'web-key', 'u1')).status).toBe(200)
    expect((await send(url, 'app-key', 'u2')).status).toBe(200)
    expect(await records(local, 'new_users')).toMatchObject([{ userId: 'u1' }, { userId: 'u2' }])
    expect(await records(local, 'app')).toMatchObject([{ userId: 'u2' }])
    expect(proxy.stats()).toMatchObject({
      requests: { accepted: 2, refused: 0, deferred: 0 },
      clients: { clients: 2, assumeRoleCalls: 2 },
      bufferedBytes: 0,
      sources: { web: { delivered: 1 }, app: { delivered: 1 } },
    })
  })

  it.each([
    ['web', 'app'],
    ['app', 'web'],
  ])(
    'answers 503 for a source that the role does not trust, and tells no external ID: it trusts %s',
    async (trusted, other) => {
      const local = await localAws([trusted])
      const lines: string[] = []
      proxy = firehoseProxy(configFor(local.endpoint, lines))
      const url = await listen(express().use('/analytics', proxy))
      const mine = await send(url, `${trusted}-key`, 'u1')
      const others = await send(url, `${other}-key`, 'u2')
      expect([mine.status, others.status]).toEqual([200, 503])
      const answer = await others.text()
      expect(answer).toMatch(/ERR_(STREAM_UNAVAILABLE|ASSUME_ROLE)/)
      expect(lines.join()).toContain(ROLE)
      expect([answer, ...lines].join()).not.toMatch(/src_|-key/)
      expect(answer).not.toContain('123456789012')
      expect(await records(local, 'new_users')).toMatchObject([{ userId: 'u1', projectId: `src_${trusted}` }])
    },
  )

  it('takes what analytics-node sends', async () => {
    const local = await localAws(['web', 'app'])
    proxy = firehoseProxy(configFor(local.endpoint))
    const url = await listen(express().use('/analytics', proxy))
    const analytics = new Analytics({ writeKey: 'web-key', host: url, path: '/analytics/v1/batch' })
    const errors: unknown[] = []
    analytics.on('error', (error) => errors.push(error))
    analytics.track({ event: 'User Registered', userId: 'u1' })
    analytics.identify({ userId: 'u1', traits: { plan: 'free' } })
    analytics.group({ groupId: 'g1', userId: 'u1' })
    analytics.page({ anonymousId: 'a1', name: 'Home' })
    analytics.screen({ anonymousId: 'a1', name: 'Main' })
    analytics.alias({ userId: 'u1', previousId: 'a1' })
    await analytics.closeAndFlush()
    expect(errors).toEqual([])
    const types = (await records(local, 'web')).map(({ type }) => type)
    expect(types.sort()).toEqual(['alias', 'group', 'identify', 'page', 'screen', 'track'])
    const [record] = await records(local, 'new_users')
    expect(record).toMatchObject({ context: { library: { name: '@segment/analytics-node' } } })
    expect(record).not.toHaveProperty('writeKey')
  })
  it('keeps out what the integrations of analytics-node switch off, in any case', async () => {
    const local = await localAws(['web', 'app'])
    proxy = firehoseProxy(configFor(local.endpoint))
    const url = await listen(express().use('/analytics', proxy))
    const analytics = new Analytics({ writeKey: 'web-key', host: url, path: '/analytics/v1/batch' })
    const track = (userId: string, integrations: Record<string, unknown>) =>
      analytics.track({ event: 'E', userId, integrations: integrations as Record<string, boolean> })
    track('off-1', { all: false })
    track('off-2', { ALL: false })
    track('off-3', { 'Amazon Kinesis Firehose': false })
    track('on-1', { all: false, 'Amazon Kinesis Firehose': null })
    track('on-2', { ALL: false, 'Amazon Kinesis Firehose': '' })
    await analytics.closeAndFlush()
    expect((await records(local, 'web')).map(({ userId }) => userId)).toEqual(['on-1', 'on-2'])
    expect(proxy.stats().sources).toMatchObject({ web: { delivered: 2, off: 3 } })
  })

  it("keeps out what a batch's integrations or an event's options switch off", async () => {
    const local = await localAws(['web', 'app'])
    proxy = firehoseProxy(configFor(local.endpoint))
    const url = await listen(express().use('/analytics', proxy))
    const post = (own: object, shared: object = {}) =>
      fetch(`${url}/analytics/v1/batch`, {
        method: 'POST',
        headers: { authorization: basic('web-key') },
        body: JSON.stringify({ ...shared, batch: [{ type: 'track', event: 'E', userId: 'off', ...own }] }),
      })
    await post({}, { integrations: { all: false } })
    await post({ options: { providers: { All: false } } })
    await post({ options: { all: false }, integrations: {} })
    await post({ userId: 'on', integrations: { all: true } }, { integrations: { all: false } })
    expect((await records(local, 'web')).map(({ userId }) => userId)).toEqual(['on'])
    expect(proxy.stats().sources).toMatchObject({ web: { delivered: 1, off: 3 } })
  })
})

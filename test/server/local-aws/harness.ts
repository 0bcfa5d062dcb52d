import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FirehoseClient } from '@aws-sdk/client-firehose'
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts'
import {
  type LocalAws,
  type LocalAwsCall,
  type LocalAwsOptions,
  startLocalAws,
} from '../../../server/local-aws/index.js'

export const REGION = 'us-west-2'
export const ACCOUNT = '123456789012'
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/segment-firehose`

/** Of no one: without `accessKeys` any long-lived key will do. */
export const ANYONE = { accessKeyId: 'AKIAANYONE0000000000', secretAccessKey: 'any' }

export interface SessionCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface Harness {
  readonly aws: LocalAws
  readonly calls: LocalAwsCall[]
  readonly errors: Error[]
  firehose(credentials?: SessionCredentials, region?: string): FirehoseClient
  sqs(credentials?: SessionCredentials, region?: string): SQSClient
  /** Makes a queue; gives its URL. */
  queue(name?: string, attributes?: Record<string, string>): Promise<string>
  sts(credentials?: SessionCredentials, region?: string): STSClient
  assumeRole(
    input?: Partial<AssumeRoleCommandInput>,
    by?: SessionCredentials,
  ): Promise<Required<SessionCredentials>>
  /** What a stream's files hold, in order of their names. */
  read(stream: string): Promise<Buffer>
}

const cleanUps: (() => unknown)[] = []

/** A local AWS of its own, in a folder of its own; {@link stopAll} ends it. */
export async function start(options: LocalAwsOptions = {}): Promise<Harness> {
  const dir = await mkdtemp(join(tmpdir(), 'local-aws-'))
  const calls: LocalAwsCall[] = []
  const errors: Error[] = []
  const aws = await startLocalAws({
    dir,
    onCall: (call) => calls.push(call),
    onError: (error) => errors.push(error),
    ...options,
  })
  cleanUps.push(async () => {
    await aws.close().catch(() => {})
    await rm(dir, { recursive: true, force: true })
  })
  // No retries: each call of a test is one call.
  const settings = { endpoint: aws.endpoint, maxAttempts: 1 }
  const clients = <C extends { destroy(): void }>(client: C): C => {
    cleanUps.push(() => client.destroy())
    return client
  }
  const sts = (credentials: SessionCredentials = ANYONE, region = REGION) =>
    clients(new STSClient({ ...settings, region, credentials }))
  const sqs = (credentials: SessionCredentials = ANYONE, region = REGION) =>
    clients(new SQSClient({ ...settings, region, credentials }))
  return {
    aws,
    calls,
    errors,
    firehose: (credentials = ANYONE, region = REGION) =>
      clients(new FirehoseClient({ ...settings, region, credentials })),
    sqs,
    async queue(name = 'spill', attributes = {}) {
      const command = new CreateQueueCommand({ QueueName: name, Attributes: attributes })
      return (await sqs().send(command)).QueueUrl ?? ''
    },
    sts,
    async assumeRole(input = {}, by = ANYONE) {
      const command = new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: 'test', ...input })
      const { Credentials: given } = await sts(by).send(command)
      return {
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      }
    },
    async read(stream) {
      const files = await filesOf(join(aws.dir, stream))
      return Buffer.concat(await Promise.all(files.map((file) => readFile(join(aws.dir, stream, file)))))
    },
  }
}

export async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

export async function stopAll(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A request of any content. Its signature is no one's, which a key of {@link ANYONE} gets away with. */
export async function raw(
  { endpoint }: LocalAws,
  {
    service = 'firehose',
    ...init
  }: RequestInit & { service?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: Headers; text: string }> {
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${ANYONE.accessKeyId}/${timestamp.slice(0, 8)}/${REGION}/${service}/aws4_request`
  const response = await fetch(endpoint, {
    method: 'POST',
    ...init,
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=00`,
      'x-amz-date': timestamp,
      ...init.headers,
    },
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

/** The headers of a Firehose operation, for {@link raw}. */
export function target(operation: string): Record<string, string> {
  return { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `Firehose_20150804.${operation}` }
}

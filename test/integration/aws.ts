import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { preloadSdk } from '../../plugin/aws/sdk.js'
import type { MappedRecord } from '../../plugin/mapper.js'
import type { DestinationSettings } from '../../plugin/settings/settings.js'
import {
  type LocalAws,
  type LocalAwsCall,
  type LocalAwsOptions,
  startLocalAws,
} from '../../server/local-aws/index.js'

export const ROLE = 'arn:aws:iam::123456789012:role/segment-firehose'
const SOURCE_CREDENTIALS = {
  accessKeyId: 'AKIAEXAMPLE000000000',
  secretAccessKey: 'secret-of-the-source',
}

export interface TestAws {
  readonly aws: LocalAws
  readonly calls: LocalAwsCall[]
  /** What was taken, by RecordId. */
  readonly taken: Map<string, { readonly stream: string; readonly text: string }>
  /** Calls of one action. */
  callsOf(action: string): LocalAwsCall[]
  /** Settings of a destination whose endpoints are this AWS. */
  settings(more?: Partial<DestinationSettings>): DestinationSettings
  /** The lines in a stream's files. */
  lines(stream: string): Promise<string[]>
  close(): Promise<void>
}

/** A local AWS in a folder of its own. The SDK is loaded before: deadlines of tests are shorter than that takes. */
export async function startTestAws(options: LocalAwsOptions = {}): Promise<TestAws> {
  await preloadSdk({ assumesRoles: true })
  const dir = await mkdtemp(join(tmpdir(), 'analytics-firehose-'))
  const calls: LocalAwsCall[] = []
  const taken: TestAws['taken'] = new Map()
  const aws = await startLocalAws({
    dir,
    onCall: (call) => calls.push(call),
    onRecord: ({ recordId, stream, data }) => taken.set(recordId, { stream, text: data.toString() }),
    ...options,
  })
  return {
    aws,
    calls,
    taken,
    callsOf: (action) => calls.filter((call) => call.action === action),
    settings: (more) => ({
      region: 'us-west-2',
      roleAddress: ROLE,
      sourceId: 'src_test',
      endpoint: aws.endpoint,
      stsEndpoint: aws.endpoint,
      clientConfig: { credentials: SOURCE_CREDENTIALS },
      mappedStreams: { '*': 'everything' },
      logger: { info() {}, warn() {}, error() {} },
      ...more,
    }),
    async lines(stream) {
      await aws.flush()
      const files = await readdir(join(dir, stream), { recursive: true, withFileTypes: true })
      const texts = await Promise.all(
        files
          .filter((file) => file.isFile())
          .map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
      )
      return texts.join('').split('\n').filter(Boolean)
    },
    async close() {
      await aws.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export function records(count: number, stream = 'everything', from = 0): MappedRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    stream,
    data: Buffer.from(`${JSON.stringify({ messageId: `m-${from + i}` })}\n`),
  }))
}

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemClock } from '../../../plugin/clock.js'
import type { DestinationSettings } from '../../../plugin/settings/settings.js'
import { readServeConfig, type ServeConfiguration } from '../../../server/config/configuration.js'
import { inputFiles } from '../../../server/replay/input-files.js'
import { Planner, type Selection } from '../../../server/replay/plan.js'
import { ProgressFile } from '../../../server/replay/progress-file.js'
import { type ReplayOptions, replay } from '../../../server/replay/replay.js'
import { Sender } from '../../../server/replay/sender.js'
import { startTestAws } from '../../integration/aws.js'
import { tempDir } from '../temp-dir.js'

const SILENT = { info() {}, warn() {}, error() {} }

export function configurationOf(
  sources: readonly (readonly [id: string, destination: DestinationSettings | DestinationSettings[]])[],
): ServeConfiguration {
  const read = readServeConfig(
    {
      sources: sources.map(([id, destination]) => ({
        id,
        name: `Name of ${id}`,
        writeKey: `${id}-key`,
        destination,
      })),
    },
    { env: {}, logger: SILENT },
  )
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  return read.configuration
}

/** An event as the proxy delivers it. */
export function event(n: number, more: object = {}): Record<string, unknown> {
  return {
    type: 'track',
    event: 'Order Done',
    userId: 'u1',
    messageId: `m${n}`,
    projectId: 'src_web',
    receivedAt: '2026-01-02T03:04:05.000Z',
    ...more,
  }
}

export function letter(n: number, more: object = {}): Record<string, unknown> {
  return {
    at: '2026-01-03T00:00:00.000Z',
    reason: 'The stream did not take it',
    code: 'ERR_RECORD_REJECTED',
    source: 'src_web',
    stream: null,
    messageId: `m${n}`,
    data: event(n),
    ...more,
  }
}

export const ndjson = (values: readonly unknown[]): string =>
  values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`).join('')

/** A folder of such files. */
export function folder(files: Readonly<Record<string, string | Buffer>>): string {
  const dir = tempDir()
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), content)
  }
  return dir
}

export interface RunOptions extends Partial<Omit<ReplayOptions, 'files' | 'sender'>> {
  readonly selection?: Selection
  readonly dryRun?: boolean
}

/** A local AWS, and replays of a folder to it. */
export async function startReplays(destination: Partial<DestinationSettings> = {}) {
  const test = await startTestAws()
  const {
    sourceId: _source,
    logger: _logger,
    ...settings
  } = test.settings({ deliveryTimeout: 2_000, ...destination })
  const configuration = configurationOf([
    ['src_web', settings as DestinationSettings],
    ['src_app', { ...settings, mappedStreams: { '*': 'app' } } as DestinationSettings],
  ])
  const run = async (dir: string, { selection = {}, dryRun = false, ...options }: RunOptions = {}) => {
    const sender = dryRun ? undefined : new Sender({ maxClients: 10, clock: systemClock })
    try {
      return await replay({
        files: await inputFiles(dir),
        planner: new Planner(configuration.sources, selection),
        progress: await ProgressFile.load(join(dir, '.replay-test.json')),
        sender,
        signal: new AbortController().signal,
        clock: systemClock,
        logger: SILENT,
        ...options,
      })
    } finally {
      await sender?.close()
    }
  }
  /** The IDs of what each stream has taken, in order of taking. */
  const taken = (stream: string): unknown[] =>
    [...test.taken.values()]
      .filter((it) => it.stream === stream)
      .map(({ text }) => (JSON.parse(text) as { messageId: unknown }).messageId)
  return { ...test, run, taken }
}

import { existsSync } from 'node:fs'
import type { DeadLetterConfiguration } from '../../plugin/settings/dead-letter-settings.js'
import { DEFAULT_CONFIG_FILE } from '../config/config-file.js'
import type { ServeConfiguration } from '../config/configuration.js'
import { queueUrlsOf, useLocalCredentials } from '../embedded-aws.js'
import type { ServeAddress } from '../serve.js'
import { loadConfigFile } from './load-config.js'
import { createLog, type Log } from './log.js'
import { logNodeWarnings } from './node-warnings.js'
import { type OpenLocalAws, openLocalAws } from './open-local-aws.js'
import { openMetrics } from './open-metrics.js'
import { reloadOnChange } from './reload.js'
import { listenAddress, type ServeFlags } from './serve-flags.js'
import { type Serving, serveAlone } from './serve-here.js'
import { type Adapt, adaptation, demoConfiguration, type Served } from './served-configuration.js'
import { spillLine, tellQueueLevel } from './spill-line.js'
import { stopOnSignal } from './stop-on-signal.js'
import type { Terminal } from './terminal.js'
import { type WelcomeParts, welcome } from './welcome.js'
import type { WorkerLocalAws, WorkerTask } from './worker-messages.js'

/** The config file, or the demo, which has none. */
interface ConfigToServe {
  readonly file: string | undefined
  readonly text: string | undefined
  readonly configuration: ServeConfiguration
}

/** What is there before anything is served. */
interface Preparation {
  readonly flags: ServeFlags
  readonly terminal: Terminal
  readonly log: Log
  readonly config: ConfigToServe
  readonly localAws: OpenLocalAws | undefined
  readonly adapt: Adapt
  /** Where it listens, and how it logs. */
  readonly settings: ServeAddress & Pick<WorkerTask, 'logLevel' | 'logFormat'>
}

/** What the command `serve` does. It returns when all is served, which goes on until a signal ends it. */
export async function runServe(flags: ServeFlags, terminal: Terminal): Promise<void> {
  const logLevel = flags.logLevel ?? 'info'
  const logFormat = flags.logFormat ?? (terminal.isInteractive ? 'text' : 'json')
  const log = createLog({ level: logLevel, format: logFormat, write: terminal.err })
  logNodeWarnings(log)
  const config = await configToServe(flags, terminal, log)
  const settings = { ...listenAddress(flags, config.configuration.listen, terminal.env), logLevel, logFormat }
  const localAws = await localAwsOf(flags)
  try {
    await serveConfig({ flags, terminal, log, config, localAws, adapt: adaptation(log, localAws), settings })
  } catch (error) {
    await localAws?.close()
    throw error
  }
}

async function configToServe(flags: ServeFlags, { env }: Terminal, log: Log): Promise<ConfigToServe> {
  const isDemo =
    flags.localAws !== undefined && flags.config === undefined && !existsSync(DEFAULT_CONFIG_FILE)
  if (isDemo) return { file: undefined, text: undefined, configuration: demoConfiguration(log) }
  const file = flags.config ?? DEFAULT_CONFIG_FILE
  const hint = '; create it, name another with --config, or try it out with --local-aws'
  return { file, ...(await loadConfigFile(file, { env, logger: log }, hint)) }
}

async function localAwsOf({ localAws }: ServeFlags): Promise<OpenLocalAws | undefined> {
  if (localAws === undefined) return undefined
  return openLocalAws(typeof localAws === 'string' ? { dir: localAws } : {})
}

async function serveConfig(preparation: Preparation): Promise<void> {
  const { flags, terminal, log, config, localAws, adapt } = preparation
  const { configuration, file } = config
  const served = adapt(configuration)
  const { spill } = served
  if (localAws !== undefined && usesAmbientCredentials(served)) useLocalCredentials(process.env)
  await checkLetters(served.deadLetters)
  // Before it is served, which empties it.
  const spillIs = await spillLine(spill)
  const metricsPort = flags.metricsPort ?? configuration.metrics.port
  const metrics = await openMetrics({ ...configuration.metrics, port: metricsPort }, log)
  try {
    const serving = await startServing(preparation, served)
    const { server, measure, take } = serving
    metrics?.show(measure)
    const urls = { url: server.url, metrics: metrics?.url }
    if ('queueUrl' in spill) void tellQueueLevel(spill, log)
    const watch =
      file === undefined
        ? undefined
        : reloadOnChange({ file, take, first: configuration, terminal, logger: log })
    stopOnSignal({ ...serving, localAws, metrics, watch }, terminal)
    // Last: whoever reads that it listens may stop it at once.
    for (const line of welcomeLines(preparation, { ...urls, served, spill: spillIs })) terminal.out(line)
  } catch (error) {
    await metrics?.close()
    throw error
  }
}

async function startServing(
  { flags, log, config, localAws, adapt, settings }: Preparation,
  served: Served,
): Promise<Serving> {
  if (flags.workers === 1) {
    const { host, port, maxHeaderBytes } = settings
    return serveAlone(served, { host, port, maxHeaderBytes, adapt })
  }
  const task = { ...settings, config: config.text, localAws: localAws && forWorkers(localAws, served) }
  // Loaded only here: who serves in one process needs none of it.
  const { serveByWorkers } = await import('./workers.js')
  return serveByWorkers({ count: flags.workers, task, served, adapt, log })
}

function forWorkers({ endpoint }: OpenLocalAws, served: Served): WorkerLocalAws {
  return { endpoint, queueUrls: queueUrlsOf(served) }
}

function usesAmbientCredentials(served: Served): boolean {
  return queueUrlsOf(served).length > 0 || served.deadLetters.kind === 'bucket'
}

/** @throws FirehoseError where what the place of dead letters needs is not installed: that can never come right */
async function checkLetters({ kind }: DeadLetterConfiguration): Promise<void> {
  if (kind !== 'bucket') return
  // Loaded only here: whoever keeps dead letters elsewhere needs no S3.
  const { loadS3 } = await import('../../plugin/dead-letters/letter-bucket.js')
  await loadS3()
}

function welcomeLines(
  { flags, config, localAws }: Preparation,
  { served, ...parts }: Pick<WelcomeParts, 'url' | 'metrics' | 'spill'> & { readonly served: Served },
): string[] {
  const { deadLetters } = served
  const sources = served.sources.filter(({ enabled }) => enabled).map(({ name }) => name)
  return welcome({ ...parts, file: config.file, deadLetters, sources, localAws, workers: flags.workers })
}

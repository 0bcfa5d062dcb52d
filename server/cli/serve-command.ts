import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { SpillConfiguration } from '../../plugin/settings/spill-settings.js'
import { DEFAULT_CONFIG_FILE } from '../config/config-file.js'
import { useLocalCredentials } from '../embedded-aws.js'
import type { MetricsServer } from '../metrics/metrics-server.js'
import { loadConfigFile } from './load-config.js'
import type { LogFormat, LogLevel } from './log.js'
import { type OpenLocalAws, openLocalAws } from './open-local-aws.js'
import { openMetrics } from './open-metrics.js'
import { parsePort, portFrom } from './port.js'
import { reloadOnChange } from './reload.js'
import { type Serving, serveAlone } from './serve-here.js'
import { adaptation, demoConfiguration } from './served-configuration.js'
import { spillLine, tellQueueLevel } from './spill-line.js'
import { stopOnSignal } from './stop-on-signal.js'
import type { Terminal } from './terminal.js'
import { welcome } from './welcome.js'
import type { WorkerLocalAws } from './worker-messages.js'
import type { WorkersOptions } from './workers.js'
import { parseWorkers } from './workers-flag.js'

const EXAMPLES = `
Examples:
  $ analytics-firehose serve
  $ analytics-firehose serve --config /etc/analytics-firehose.yaml --host 0.0.0.0 --port 80
  $ analytics-firehose serve --workers auto     on all cores
  $ analytics-firehose serve --local-aws        try it out: no AWS account, no config file

The config file is loaded again when it changes, and at SIGHUP.

Environment:
  PORT, HOST            where neither the flags nor the config file say
  LOG_LEVEL, LOG_FORMAT where the flags do not say
  AWS_REGION            region of the destinations that name none
  AWS_ACCESS_KEY_ID, …  what assumes the roles; all that the AWS SDK looks for
`

const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 8080

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']
const LOG_FORMATS: readonly LogFormat[] = ['text', 'json']

interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly metricsPort?: number
  readonly localAws?: string | true
  readonly workers: number
  readonly logLevel?: LogLevel
  readonly logFormat?: LogFormat
}

export function serveCommand(terminal: Terminal): Command {
  return new Command('serve')
    .summary('take events over HTTP and deliver them')
    .description("Takes events from Segment's libraries over HTTP and delivers them to Amazon Data Firehose.")
    .option('-c, --config <file>', `config file (default: ${DEFAULT_CONFIG_FILE})`)
    .option('--host <host>', `address to listen on (default: the config file's, else ${DEFAULT_HOST})`)
    .option(
      '-p, --port <port>',
      `port, 0 for any (default: the config file's, else ${DEFAULT_PORT})`,
      parsePort,
    )
    .option(
      '--metrics-port <port>',
      "port of a page for Prometheus, 0 for any (default: the config file's, else there is no page)",
      parsePort,
    )
    .option(
      '--local-aws [dir]',
      'deliver to an embedded local AWS, which writes to dir; an SQS queue for the spill is made there too',
    )
    .option(
      '-w, --workers <count>',
      'processes that share the port; auto for one a core. Limits are shared out among them',
      parseWorkers,
      1,
    )
    .addOption(
      new Option('--log-level <level>', 'what is logged to stderr; debug has a line for each request')
        .choices(LOG_LEVELS)
        .env('LOG_LEVEL')
        .default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'default: text on a terminal, else json')
        .choices(LOG_FORMATS)
        .env('LOG_FORMAT'),
    )
    .addHelpText('after', EXAMPLES)
    .action((flags: ServeFlags) => runServe(flags, terminal))
}

async function runServe(flags: ServeFlags, terminal: Terminal): Promise<void> {
  const { env } = terminal
  const isDemo =
    flags.localAws !== undefined && flags.config === undefined && !existsSync(DEFAULT_CONFIG_FILE)
  const file = flags.config ?? DEFAULT_CONFIG_FILE
  const hint = '; create it, name another with --config, or try it out with --local-aws'
  // Loaded only here: the other commands do not log.
  const { createLog } = await import('./log.js')
  const logs = {
    logLevel: flags.logLevel ?? 'info',
    logFormat: flags.logFormat ?? (terminal.isInteractive ? 'text' : 'json'),
  }
  const log = createLog({ level: logs.logLevel, format: logs.logFormat, write: terminal.err })
  const loaded = isDemo ? undefined : await loadConfigFile(file, { env, logger: log }, hint)
  const configuration = loaded?.configuration ?? demoConfiguration(log)
  const host = flags.host ?? configuration.listen.host ?? (env['HOST'] || DEFAULT_HOST)
  const port = flags.port ?? configuration.listen.port ?? portFrom(env) ?? DEFAULT_PORT

  const dir = typeof flags.localAws === 'string' ? flags.localAws : undefined
  const localAws =
    flags.localAws === undefined ? undefined : await openLocalAws(dir === undefined ? {} : { dir })
  let metrics: MetricsServer | undefined
  try {
    const adapt = adaptation(log, localAws)
    const served = adapt(configuration)
    const { deadLetters, spill } = served
    if (localAws !== undefined && 'queueUrl' in spill) useLocalCredentials(process.env)
    // Before it is served, which empties it.
    const spillIs = await spillLine(spill)
    const metricsPort = flags.metricsPort ?? configuration.metrics.port
    metrics = await openMetrics({ ...configuration.metrics, port: metricsPort })
    const task = {
      host,
      port,
      config: loaded?.text,
      localAws: localAws && forWorkers(localAws, spill),
      ...logs,
    }
    const serving =
      flags.workers === 1
        ? await serveAlone(served, { host, port, adapt })
        : await serveByWorkers({ count: flags.workers, task, served, adapt, log })
    metrics?.show(serving.measure)
    const sources = served.sources.filter(({ enabled }) => enabled).map(({ name }) => name)
    const lines = welcome({
      url: serving.server.url,
      metrics: metrics?.url,
      file: isDemo ? undefined : file,
      deadLetters,
      spill: spillIs,
      sources,
      localAws,
      workers: flags.workers,
    })
    for (const line of lines) terminal.out(line)
    if ('queueUrl' in spill) void tellQueueLevel(spill, log)
    const { take } = serving
    const watch = isDemo
      ? undefined
      : reloadOnChange({ file, take, first: configuration, terminal, logger: log })
    stopOnSignal({ ...serving, localAws, metrics, watch }, terminal)
  } catch (error) {
    await metrics?.close()
    await localAws?.close()
    throw error
  }
}

/** Loaded only here: who serves in one process needs none of it. */
async function serveByWorkers(options: WorkersOptions): Promise<Serving> {
  const workers = await import('./workers.js')
  return workers.serveByWorkers(options)
}

function forWorkers({ endpoint }: OpenLocalAws, spill: SpillConfiguration): WorkerLocalAws {
  return { endpoint, queueUrl: 'queueUrl' in spill ? spill.queueUrl : undefined }
}

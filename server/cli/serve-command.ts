import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { StreamReport } from '../../plugin/delivery/stats.js'
import { completeSpill } from '../../plugin/settings/spill-settings.js'
import { DEFAULT_CONFIG_FILE, DEFAULT_DEAD_LETTERS } from '../config/config-file.js'
import { readServeConfig, type ServeConfiguration } from '../config/configuration.js'
import { DEMO_CONFIG } from '../demo.js'
import { pointedAt, useLocalCredentials } from '../embedded-aws.js'
import { type ConfiguredProxy, proxyOf } from '../firehose-proxy.js'
import type { RequestEntry } from '../http/request-entry.js'
import type { ProxyReport } from '../proxy.js'
import { type RunningServer, serve } from '../serve.js'
import { closeOnSignal } from '../shutdown.js'
import { loadConfig } from './load-config.js'
import type { Log } from './log.js'
import { type OpenLocalAws, openLocalAws } from './open-local-aws.js'
import { parsePort } from './port.js'
import { reloadOnChange } from './reload.js'
import {
  addressOf,
  DEFAULT_HOST,
  DEFAULT_PORT,
  LOG_FORMATS,
  LOG_LEVELS,
  type ServeFlags,
} from './serve-flags.js'
import { spillLine, tellQueueLevel } from './spill-line.js'
import type { Terminal } from './terminal.js'
import { welcome } from './welcome.js'

const EXAMPLES = `
Examples:
  $ analytics-firehose serve
  $ analytics-firehose serve --config /etc/analytics-firehose.yaml --host 0.0.0.0 --port 80
  $ analytics-firehose serve --local-aws        try it out: no AWS account, no config file

The config file is loaded again when it changes, and at SIGHUP.

Environment:
  PORT, HOST            where neither the flags nor the config file say
  LOG_LEVEL, LOG_FORMAT where the flags do not say
  AWS_REGION            region of the destinations that name none
  AWS_ACCESS_KEY_ID, …  what assumes the roles; all that the AWS SDK looks for
`

const DEFAULT_SPILL = completeSpill({ directory: './spill' })

/** Container platforms kill 10 s after they ask: by then what is queued must be delivered. */
const SHUTDOWN_TIMEOUT_MS = 8_000

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
      '--local-aws [dir]',
      'deliver to an embedded local AWS, which writes to dir; an SQS queue for the spill is made there too',
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
  const isDemo =
    flags.localAws !== undefined && flags.config === undefined && !existsSync(DEFAULT_CONFIG_FILE)
  const file = flags.config ?? DEFAULT_CONFIG_FILE
  const hint = '; create it, name another with --config, or try it out with --local-aws'
  const log = await logOf(flags, terminal)
  const context = { env: terminal.env, logger: log }
  const configuration = isDemo ? demoConfiguration(log) : await loadConfig(file, context, hint)
  const { listen } = configuration
  const address = addressOf(flags, listen, terminal.env)

  const localAws = await localAwsOf(flags)
  try {
    const adapt = adaptation(log, localAws)
    const served = adapt(configuration)
    const { deadLetters, spill } = served
    if (localAws !== undefined && 'queueUrl' in spill) useLocalCredentials(process.env)
    // Before it is served, which empties it.
    const spillIs = await spillLine(spill)
    const { server, proxy } = await start(served, address)
    const sources = served.sources.filter(({ enabled }) => enabled).map(({ name }) => name)
    const lines = welcome({
      url: server.url,
      file: isDemo ? undefined : file,
      deadLetters,
      spill: spillIs,
      sources,
      localAws,
    })
    for (const line of lines) terminal.out(line)
    if ('queueUrl' in spill) void tellQueueLevel(spill, log)
    const watch = isDemo ? undefined : reloadOnChange({ file, proxy, listen, adapt, terminal, logger: log })
    stopOnSignal({ server, localAws, watch }, terminal)
  } catch (error) {
    await localAws?.close()
    throw error
  }
}

async function logOf({ logLevel, logFormat }: ServeFlags, { isInteractive, err }: Terminal): Promise<Log> {
  // Not at the top: most of the other commands do not log.
  const { createLog } = await import('./log.js')
  const format = logFormat ?? (isInteractive ? 'text' : 'json')
  return createLog({ level: logLevel ?? 'info', format, write: err })
}

async function localAwsOf({ localAws }: ServeFlags): Promise<OpenLocalAws | undefined> {
  if (localAws === undefined) return undefined
  return openLocalAws(localAws === true ? {} : { dir: localAws })
}

/** What is served in place of what the file says. */
function adaptation(log: Log, localAws: OpenLocalAws | undefined) {
  return (given: ServeConfiguration) => {
    const configuration = localAws === undefined ? given : pointedAt(given, localAws)
    return {
      ...configuration,
      spill: configuration.spill ?? DEFAULT_SPILL,
      deadLetters: configuration.deadLetters ?? DEFAULT_DEAD_LETTERS,
      onRequest: (entry: RequestEntry) => log.request(entry),
    }
  }
}

function demoConfiguration(logger: Log): ServeConfiguration {
  const read = readServeConfig(DEMO_CONFIG, { logger })
  if ('configuration' in read) return read.configuration
  throw new Error(read.problems.join('; '))
}

async function start(
  configuration: ServeConfiguration,
  listen: { host: string; port: number },
): Promise<{ server: RunningServer; proxy: ConfiguredProxy }> {
  const proxy = proxyOf(configuration)
  try {
    return { server: await serve({ proxy, ...listen }), proxy }
  } catch (error) {
    await proxy.close({ timeout: 0 })
    throw error
  }
}

interface Running {
  readonly server: RunningServer
  readonly localAws: OpenLocalAws | undefined
  readonly watch: { close(): void } | undefined
}

function stopOnSignal({ server, localAws, watch }: Running, terminal: Terminal): void {
  const close = async (signal: string) => {
    terminal.out(`${signal}: delivering what is queued; once more to exit at once`)
    const report = await server.close({ timeout: SHUTDOWN_TIMEOUT_MS })
    await localAws?.close()
    // Last: without its listener SIGHUP would end the process in the middle of this.
    watch?.close()
    terminal.out(summary(report))
  }
  closeOnSignal(terminal.signals, close, (error) => terminal.err(`error: ${(error as Error).message}`))
}

function summary(report: ProxyReport): string {
  const streams = Object.values(report).flatMap((source) => Object.values(source))
  const sum = (name: keyof StreamReport) => streams.reduce((total, stream) => total + stream[name], 0)
  return `Closed: ${sum('delivered')} records delivered, ${sum('spilled')} spilled, ${sum('failed')} failed`
}

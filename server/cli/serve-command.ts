import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { DEFAULT_CONFIG_FILE } from '../config/config-file.js'
import { readServeConfig, type ServeConfiguration } from '../config/configuration.js'
import { DEMO_CONFIG } from '../demo.js'
import { pointedAt } from '../embedded-aws.js'
import { proxyOf } from '../firehose-proxy.js'
import type { ProxyReport } from '../proxy.js'
import { type RunningServer, serve } from '../serve.js'
import { closeOnSignal } from '../shutdown.js'
import { loadConfig } from './load-config.js'
import { type OpenLocalAws, openLocalAws } from './open-local-aws.js'
import { parsePort, portFrom } from './port.js'
import type { Terminal } from './terminal.js'
import { welcome } from './welcome.js'

const EXAMPLES = `
Examples:
  $ analytics-firehose serve
  $ analytics-firehose serve --config /etc/analytics-firehose.yaml --host 0.0.0.0 --port 80
  $ analytics-firehose serve --local-aws        try it out: no AWS account, no config file

Environment:
  PORT, HOST            where neither the flags nor the config file say
  AWS_REGION            region of the destinations that name none
  AWS_ACCESS_KEY_ID, …  what assumes the roles; all that the AWS SDK looks for
`

const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = 8080
const DEFAULT_DEAD_LETTERS = './dead-letters'

/** Container platforms kill 10 s after they ask: by then what is queued must be delivered. */
const SHUTDOWN_TIMEOUT_MS = 8_000

interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly localAws?: string | true
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
    .option('--local-aws [dir]', 'deliver to an embedded local AWS, which writes to dir')
    .addHelpText('after', EXAMPLES)
    .action((flags: ServeFlags) => runServe(flags, terminal))
}

async function runServe(flags: ServeFlags, terminal: Terminal): Promise<void> {
  const { env } = terminal
  const isDemo =
    flags.localAws !== undefined && flags.config === undefined && !existsSync(DEFAULT_CONFIG_FILE)
  const file = flags.config ?? DEFAULT_CONFIG_FILE
  const hint = '; create it, name another with --config, or try it out with --local-aws'
  const configuration = isDemo ? demoConfiguration() : await loadConfig(file, { env }, hint)
  const host = flags.host ?? configuration.listen.host ?? (env['HOST'] || DEFAULT_HOST)
  const port = flags.port ?? configuration.listen.port ?? portFrom(env) ?? DEFAULT_PORT

  const dir = typeof flags.localAws === 'string' ? flags.localAws : undefined
  const localAws =
    flags.localAws === undefined ? undefined : await openLocalAws(dir === undefined ? {} : { dir })
  try {
    const deadLetters = configuration.deadLetters ?? DEFAULT_DEAD_LETTERS
    const server = await start({ ...configuration, deadLetters }, { host, port }, localAws)
    const lines = welcome({ url: server.url, file: isDemo ? undefined : file, deadLetters, localAws })
    for (const line of lines) terminal.out(line)
    stopOnSignal(server, localAws, terminal)
  } catch (error) {
    await localAws?.close()
    throw error
  }
}

function demoConfiguration(): ServeConfiguration {
  const read = readServeConfig(DEMO_CONFIG)
  if ('configuration' in read) return read.configuration
  throw new Error(read.problems.join('; '))
}

async function start(
  configuration: ServeConfiguration,
  listen: { host: string; port: number },
  localAws: OpenLocalAws | undefined,
): Promise<RunningServer> {
  const pointed = localAws === undefined ? configuration : pointedAt(configuration, localAws.endpoint)
  const proxy = proxyOf(pointed)
  try {
    return await serve({ proxy, ...listen })
  } catch (error) {
    await proxy.close({ timeout: 0 })
    throw error
  }
}

function stopOnSignal(server: RunningServer, localAws: OpenLocalAws | undefined, terminal: Terminal): void {
  const close = async (signal: string) => {
    terminal.out(`${signal}: delivering what is queued; once more to exit at once`)
    const report = await server.close({ timeout: SHUTDOWN_TIMEOUT_MS })
    await localAws?.close()
    terminal.out(summary(report))
  }
  closeOnSignal(terminal.signals, close, (error) => terminal.err(`error: ${(error as Error).message}`))
}

function summary(report: ProxyReport): string {
  const streams = Object.values(report).flatMap((source) => Object.values(source))
  const sum = (name: 'delivered' | 'failed') => streams.reduce((total, stream) => total + stream[name], 0)
  return `Closed: ${sum('delivered')} records delivered, ${sum('failed')} failed`
}

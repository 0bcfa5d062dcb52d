import { Command, Option } from 'commander'
import { DEFAULT_CONFIG_FILE } from '../config/config-file.js'
import type { LogFormat, LogLevel } from './log.js'
import { parsePort } from './port.js'
import { DEFAULT_HOST, DEFAULT_PORT, parseHeaderBytes, type ServeFlags } from './serve-flags.js'
import type { Terminal } from './terminal.js'
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
  HTTPS_PROXY, NO_PROXY the way to AWS, where the settings name no proxy
`

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']
const LOG_FORMATS: readonly LogFormat[] = ['text', 'json']

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
      '--max-header-bytes <bytes>',
      "maximum size of a request's headers and URL (default: the config file's, else Node's, 16384)",
      parseHeaderBytes,
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
    .action(async (flags: ServeFlags) => {
      // Loaded only here: the other commands need none of it.
      const { runServe } = await import('./run-serve.js')
      await runServe(flags, terminal)
    })
}

import { Command } from 'commander'
import { closeOnSignal } from '../shutdown.js'
import { openLocalAws } from './open-local-aws.js'
import { parsePort } from './port.js'
import type { Terminal } from './terminal.js'

const EXAMPLES = `
Examples:
  $ analytics-firehose local-aws --dir ./out
  $ aws --endpoint-url http://127.0.0.1:4599 firehose list-delivery-streams

It takes any credentials, any role with any external ID, and makes streams on first use.
`

const DEFAULT_PORT = 4599

interface LocalAwsFlags {
  readonly host?: string
  readonly port: number
  readonly dir?: string
}

export function localAwsCommand(terminal: Terminal): Command {
  return new Command('local-aws')
    .summary('run an STS and a Firehose on this machine')
    .description('Runs an STS and a Firehose on this machine, for a first run and for tests.')
    .option('--host <host>', 'address to listen on (default: 127.0.0.1)')
    .option('-p, --port <port>', 'port, 0 for any', parsePort, DEFAULT_PORT)
    .option('--dir <dir>', "where the streams' files go (default: ./local-aws-data)")
    .addHelpText('after', EXAMPLES)
    .action((flags: LocalAwsFlags) => runLocalAws(flags, terminal))
}

async function runLocalAws(flags: LocalAwsFlags, terminal: Terminal): Promise<void> {
  const localAws = await openLocalAws(flags)
  terminal.out(`Local AWS (STS and Firehose): ${localAws.endpoint}`)
  terminal.out(`Records land in: ${localAws.dir}`)
  closeOnSignal(
    terminal.signals,
    () => localAws.close(),
    (error) => terminal.err(`error: ${(error as Error).message}`),
  )
}

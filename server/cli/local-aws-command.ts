import { Command, InvalidArgumentError } from 'commander'
import { closeOnSignal } from '../shutdown.js'
import { openLocalAws } from './open-local-aws.js'
import { parsePort } from './port.js'
import type { Terminal } from './terminal.js'

const EXAMPLES = `
Examples:
  $ analytics-firehose local-aws --dir ./out
  $ analytics-firehose local-aws --queue spill
  $ aws --endpoint-url http://127.0.0.1:4599 firehose list-delivery-streams

It takes any credentials, any role with any external ID, and makes streams and S3 buckets on first use. What is in a
queue is in memory, and gone with the process; S3 takes objects, as files below @s3.
`

const DEFAULT_PORT = 4599

interface LocalAwsFlags {
  readonly host?: string
  readonly port: number
  readonly dir?: string
  readonly queue: readonly string[]
}

export function localAwsCommand(terminal: Terminal): Command {
  return new Command('local-aws')
    .summary('run an STS, a Firehose and an SQS on this machine')
    .description('Runs an STS, a Firehose and an SQS on this machine, for a first run and for tests.')
    .option('--host <host>', 'address to listen on (default: 127.0.0.1)')
    .option('-p, --port <port>', 'port, 0 for any', parsePort, DEFAULT_PORT)
    .option('--dir <dir>', "where the streams' files go (default: ./local-aws-data)")
    .option('--queue <name>', 'SQS queue to make; can be given again', parseQueue, [])
    .addHelpText('after', EXAMPLES)
    .action((flags: LocalAwsFlags) => runLocalAws(flags, terminal))
}

async function runLocalAws(flags: LocalAwsFlags, terminal: Terminal): Promise<void> {
  const { queue, ...options } = flags
  const localAws = await openLocalAws(options)
  terminal.out(`Local AWS (STS, Firehose and SQS): ${localAws.endpoint}`)
  terminal.out(`Records land in: ${localAws.dir}`)
  for (const name of queue) terminal.out(`Queue: ${localAws.queueUrl(name)}`)
  closeOnSignal(
    terminal.signals,
    () => localAws.close(),
    (error) => terminal.err(`error: ${(error as Error).message}`),
  )
}

function parseQueue(text: string, earlier: readonly string[]): readonly string[] {
  if (/^[\w-]{1,80}$/.test(text)) return [...earlier, text]
  throw new InvalidArgumentError('A queue is named by up to 80 letters, digits, - and _.')
}

import { Command } from 'commander'
import { DEFAULT_CONFIG_FILE } from '../config/config-file.js'
import { parseRate, parseStream, parseTime, type ReplayFlags } from './replay-flags.js'
import type { Terminal } from './terminal.js'

const EXAMPLES = `
Reads dead letters, files of the spill, and files of events, one a line as JSON, such as Firehose leaves in S3; plain
or gzip. They are never changed. Dead letters in an SQS queue are taken out of it first, to ./dead-letters. After Ctrl-C or a failure the same command goes on with what has not arrived. A spill
that a process serves is refused, as that sends it itself.

Examples:
  $ analytics-firehose replay --dry-run
  $ analytics-firehose replay --since 2026-01-01 --until 2026-01-02T12:00:00Z
  $ analytics-firehose replay --from ./spill --stream new_users
  $ analytics-firehose replay --from ./from-s3 --source src_web --to everything --rate 500
`

export function replayCommand(terminal: Terminal): Command {
  return new Command('replay')
    .summary('send dead letters and other files of events again')
    .description('Sends files of events through the mapping and the delivery of their sources.')
    .option('-c, --config <file>', 'config file', DEFAULT_CONFIG_FILE)
    .option(
      '--from <path>',
      "file or folder, or the URL of an SQS queue of dead letters (default: the config file's deadLetters)",
    )
    .option('--stream <name>', 'only what is meant for this stream', parseStream)
    .option('--since <time>', 'only from this time on: when given up, else when received', parseTime)
    .option('--until <time>', 'only before this time', parseTime)
    .option('--to <name>', 'send all to this stream', parseStream)
    .option(
      '--source <id>',
      'send all as events of this source, by its ID or name (default: the one that each names)',
    )
    .option('--rate <n>', 'events a second at most', parseRate)
    .option('--dry-run', 'count by source and stream, and send nothing')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ReplayFlags) => {
      // Loaded only here: `serve`, which is to be ready soon, needs none of it.
      const { runReplay } = await import('./run-replay.js')
      await runReplay(flags, terminal)
    })
}

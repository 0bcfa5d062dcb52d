import { Command } from 'commander'
import { DEFAULT_CONFIG_FILE } from '../config/config-file.js'
import type { CheckFlags } from './run-check.js'
import type { Terminal } from './terminal.js'

const EXAMPLES = `
Ends with 0 where \`serve\` would take the file, else with 1 and what \`serve\` would say. The variables that the
file names must be set.

Examples:
  $ analytics-firehose check
  $ analytics-firehose check --config /etc/analytics-firehose.yaml
  $ analytics-firehose check --aws     can each role be assumed, and each queue be used, from here?
`

export function checkCommand(terminal: Terminal): Command {
  return new Command('check')
    .summary('check the config file, and start nothing')
    .description(
      'Checks the config file as `serve` would, and says where events go. Starts and makes nothing.',
    )
    .option('-c, --config <file>', 'config file', DEFAULT_CONFIG_FILE)
    .option(
      '--aws',
      "ask AWS too: assumes each source's role, once, and tries the queues and the bucket of spill and deadLetters, with the AWS credentials of this machine",
    )
    .addHelpText('after', EXAMPLES)
    .action(async (flags: CheckFlags) => {
      // Loaded only here: `serve`, which is to be ready soon, needs none of it.
      const { runCheck } = await import('./run-check.js')
      await runCheck(flags, terminal)
    })
}

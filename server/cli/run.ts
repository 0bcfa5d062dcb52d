import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { checkCommand } from './check-command.js'
import { CommandError } from './command-error.js'
import { errorLines } from './error-lines.js'
import { iamCommand } from './iam-command.js'
import { localAwsCommand } from './local-aws-command.js'
import { replayCommand } from './replay-command.js'
import { serveCommand } from './serve-command.js'
import type { Terminal } from './terminal.js'
import { workerCommand } from './worker-command.js'

const EXAMPLES = `
Examples:
  $ analytics-firehose serve --local-aws   try it out: no AWS account, no config file
  $ analytics-firehose serve               as ./analytics-firehose.yaml says
  $ analytics-firehose help serve          all about a command
`

const FAILED = 1
const WRONG_USAGE = 2

/** Runs the command line. Resolves to the exit code; servers go on until a signal ends them. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await program(terminal).parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has said what is wrong itself; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
    for (const line of errorLines(error)) terminal.err(`error: ${line}`)
    return error instanceof CommandError ? error.exitCode : FAILED
  }
}

function program(terminal: Terminal): Command {
  const program = new Command('analytics-firehose')
    .description('Delivers Segment events to Amazon Data Firehose.')
    .version(version(), '-v, --version')
    .helpCommand('help [command]', 'all about a command')
    .addHelpText('after', EXAMPLES)
  const commands = [serveCommand, checkCommand, replayCommand, localAwsCommand, iamCommand]
  for (const command of commands) program.addCommand(command(terminal))
  program.addCommand(workerCommand(terminal), { hidden: true })
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
  }
  return program
}

function version(): string {
  const require = createRequire(import.meta.url)
  return (require('analytics-firehose/package.json') as { version: string }).version
}

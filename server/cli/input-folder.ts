import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../plugin/clock.js'
import { type DeadLetterConfiguration, readPlace } from '../../plugin/settings/dead-letter-settings.js'
import { DEFAULT_DEAD_LETTERS } from '../config/config-file.js'
import type { ServeConfiguration } from '../config/configuration.js'
import { takeLetters } from '../replay/take-letters.js'
import { CommandError } from './command-error.js'
import type { Log } from './log.js'
import type { ReplayFlags } from './replay-flags.js'
import type { Terminal } from './terminal.js'

export interface InputFolderParts {
  readonly signal: AbortSignal
  readonly exitCode: () => number
  readonly terminal: Terminal
  readonly log: Log
}

type Queue = Extract<DeadLetterConfiguration, { readonly kind: 'queue' }>

/**
 * The file or folder that is replayed. Letters of an SQS queue are taken out of it into a folder first; those in S3 the
 * user copies.
 *
 * @throws CommandError
 */
export async function inputFolder(
  flags: ReplayFlags,
  configuration: ServeConfiguration,
  parts: InputFolderParts,
): Promise<string> {
  const place = placeOf(flags, configuration, parts.terminal)
  if (place.kind === 'directory') return place.directory
  const setting = flags.from === undefined ? 'deadLetters' : '--from'
  if (place.kind === 'bucket') {
    const { bucket, prefix, region } = place
    throw new CommandError([
      `${setting}: what is in S3 is sent from a copy; run: aws s3 sync s3://${bucket}/${prefix} ${DEFAULT_DEAD_LETTERS} --region ${region}`,
      `${setting}: and then: analytics-firehose replay --from ${DEFAULT_DEAD_LETTERS}`,
    ])
  }
  const { spill } = configuration
  if (spill !== undefined && 'queueUrl' in spill && spill.queueUrl === place.queueUrl) {
    throw new CommandError([
      `${setting}: is the queue of the spill, which serve and the plugin send themselves`,
    ])
  }
  const folder = join(DEFAULT_DEAD_LETTERS, place.queueUrl.slice(place.queueUrl.lastIndexOf('/') + 1))
  if (flags.dryRun) {
    throw new CommandError([
      `${setting}: letters of a queue are counted once they are taken out of it; leave --dry-run out, or name what an earlier replay took: --from ${folder}`,
    ])
  }
  await takeAll(place, folder, setting, parts)
  return folder
}

function placeOf(
  { from }: ReplayFlags,
  { deadLetters }: ServeConfiguration,
  { env }: Terminal,
): DeadLetterConfiguration | { readonly kind: 'directory'; readonly directory: string } {
  if (from === undefined) return deadLetters ?? { kind: 'directory', directory: DEFAULT_DEAD_LETTERS }
  if (!/^(https?|s3):\/\//.test(from)) return { kind: 'directory', directory: from }
  const place = readPlace(from, env)
  if ('problem' in place) throw new CommandError([`--from: ${place.problem}`])
  return place
}

async function takeAll(
  queue: Queue,
  folder: string,
  setting: string,
  { signal, exitCode, terminal, log }: InputFolderParts,
): Promise<void> {
  const { queueUrl, region } = queue
  terminal.err(`Taking dead letters out of ${queueUrl} to ${folder}`)
  let taken: Awaited<ReturnType<typeof takeLetters>>
  try {
    taken = await takeLetters({ ...queue, folder, signal, clock: systemClock })
  } catch (error) {
    const { name, message } = error as Error
    throw new CommandError([
      `${setting}: ${queueUrl} cannot be read in ${region} (${name}: ${message}); allow sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on it`,
    ])
  }
  const { letters, foreign, incomplete } = taken
  terminal.err(`Taken: ${letters}`)
  if (foreign > 0) log.warn(`${foreign} message(s) hold no dead letters: they are left in the queue`)
  if (incomplete > 0)
    log.warn(`${incomplete} letter(s) have parts that are not there: they are left in the queue`)
  if (letters === 0 && !existsSync(folder)) {
    throw new CommandError([`${setting}: there are no dead letters in ${queueUrl}`])
  }
  if (signal.aborted) {
    throw new CommandError(['interrupted; the same command goes on with what was taken and what is left'], {
      exitCode: exitCode(),
    })
  }
}

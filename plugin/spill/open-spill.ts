import { isAbsolute, join, resolve } from 'node:path'
import type { Clock } from '../clock.js'
import type { DeadLetterStore } from '../dead-letters/dead-letter.js'
import { DeadLetterFiles } from '../dead-letters/dead-letter-files.js'
import type { SpillParts } from '../delivery/spilling.js'
import { FirehoseError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { SpillConfiguration, SpillQueueConfiguration } from '../settings/spill-settings.js'
import { BoundedClaims } from './bounded-claims.js'
import { fixOf } from './disk-error.js'
import { OpeningSpill } from './opening-spill.js'
import { tryDirectory } from './probe.js'
import type { Spill } from './spill.js'

/** A claim holds up to 8 MiB. */
const MAX_CLAIMS = 4

export interface OpenSpillOptions {
  readonly configuration: SpillConfiguration
  readonly clock: Clock
  readonly logger: Logger
  /** Where records go that Firehose refuses for good. @default a folder in the spill's; of a queue, the log */
  readonly deadLetters?: DeadLetterStore | undefined
}

/** A spill at work, and the way of what it can never deliver. */
export interface OpenSpill extends SpillParts {
  /** Gives back what is claimed and waits for what is being written. */
  close(): Promise<void>
}

/**
 * Opens a spill, while records come already: who appends waits for it.
 *
 * @throws FirehoseError `ERR_SETTINGS` where nothing can be kept in the directory
 */
export function openSpill({ configuration, clock, logger, deadLetters }: OpenSpillOptions): OpenSpill {
  check(configuration)
  const open = () => opened(configuration, { clock, logger })
  const store = new BoundedClaims(new OpeningSpill({ open, clock, logger }), MAX_CLAIMS)
  const letters = deadLetters ?? defaultLetters(configuration, clock)
  return {
    store,
    drainShare: configuration.drainShare,
    async quarantine(stream, record, error) {
      const letter = letterOf(stream, record, error, clock)
      await letters?.write([letter])
      const id = JSON.stringify(letter.messageId)
      logger.warn(`${error.code}: gave up a spilled record for ${stream}: ${error.message} (messageId ${id})`)
    },
    close: () => store.close(),
  }
}

async function openQueue(
  { queueUrl, region, httpsProxy }: SpillQueueConfiguration,
  parts: Pick<OpenSpillOptions, 'clock' | 'logger'>,
): Promise<Spill> {
  // Loaded here and not at the top: whoever spills to a directory needs no SQS.
  const { openSpillQueue } = await import('./spill-queue.js')
  return openSpillQueue({ queueUrl, region, httpsProxy, ...parts })
}

async function opened(
  configuration: SpillConfiguration,
  parts: Pick<OpenSpillOptions, 'clock' | 'logger'>,
): Promise<Spill> {
  if ('queueUrl' in configuration) return openQueue(configuration, parts)
  // Here and not at the top, like the queue: most plugins have no spill.
  const { openSpillDirectory } = await import('./spill-directory.js')
  const { directory, maxBytes } = configuration
  return openSpillDirectory({ directory, maxBytes, ...parts })
}

function check(configuration: SpillConfiguration): void {
  if ('queueUrl' in configuration) return
  const { directory } = configuration
  try {
    tryDirectory(directory)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).message
    // Which one that is depends on where the process was started.
    const whole = isAbsolute(directory) ? '' : `, which is ${resolve(directory)}`
    throw new FirehoseError(
      'ERR_SETTINGS',
      `Wrong settings:\n  spill: got ${JSON.stringify(directory)}${whole}, in which nothing can be kept (${why}); ${fixOf(cause)}`,
      { cause },
    )
  }
}

function defaultLetters(configuration: SpillConfiguration, clock: Clock): DeadLetterStore | undefined {
  if ('queueUrl' in configuration) return undefined
  return new DeadLetterFiles(join(configuration.directory, 'dead-letters'), clock)
}

function letterOf(stream: string, record: Uint8Array, { code, message }: FirehoseError, clock: Clock) {
  const text = Buffer.from(record).toString('utf8')
  let data: unknown = text
  try {
    data = JSON.parse(text)
  } catch {
    // What was handed to `deliver()` need be no JSON: it is kept as it is.
  }
  const { messageId, projectId } = Object(data) as { messageId?: unknown; projectId?: unknown }
  return {
    at: new Date(clock.wallTime()).toISOString(),
    reason: message,
    code,
    source: typeof projectId === 'string' ? projectId : null,
    stream,
    messageId: typeof messageId === 'string' ? messageId : null,
    data,
  }
}

import { isAbsolute, resolve } from 'node:path'
import type { Clock } from '../clock.js'
import { FirehoseError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { DeadLetterConfiguration } from '../settings/dead-letter-settings.js'
import { withFix } from '../spill/disk-error.js'
import { tryDirectory } from '../spill/probe.js'
import type { DeadLetterStore } from './dead-letter.js'
import { DeadLetterFiles } from './dead-letter-files.js'
import { DeadLetterShares } from './dead-letter-shares.js'
import { type LetterPlace, type RemoteConfiguration, RemoteLetters } from './remote-letters.js'

/** Dead letters that are kept, until they are closed. */
export interface OpenDeadLetters {
  readonly store: DeadLetterStore
  /** Once nothing is written any more. */
  close(): void
}

/**
 * Opens the place of dead letters, and tries it: a directory at once, a queue or a bucket in the background.
 *
 * @throws FirehoseError `ERR_SETTINGS` where nothing can be kept in the directory
 */
export function openDeadLetters(
  configuration: DeadLetterConfiguration,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): OpenDeadLetters {
  if (configuration.kind === 'directory') {
    const { directory, maxBytes } = configuration
    tryLetters(directory)
    const files = new DeadLetterFiles(directory, clock, maxBytes)
    const store = new DeadLetterShares({ store: files, ...(maxBytes !== undefined && { maxBytes }) })
    // Starts the first count now, as it may have to read a gigabyte: the first write should not wait for that.
    store.usage()
    return { store, close() {} }
  }
  const open = () => openPlace(configuration, clock)
  const store = new RemoteLetters({ configuration, open, clock, logger })
  return { store, close: () => store.close() }
}

/**
 * Tries a place outside of this machine, and nothing else.
 *
 * @throws why it cannot be used
 */
export async function tryPlace(configuration: RemoteConfiguration, clock: Clock): Promise<void> {
  const place = await openPlace(configuration, clock)
  try {
    await place.tryOut()
  } finally {
    place.close()
  }
}

async function openPlace(configuration: RemoteConfiguration, clock: Clock): Promise<LetterPlace> {
  // Loaded here and not at the top: most keep dead letters in a directory.
  if (configuration.kind === 'queue') {
    const { openLetterQueue } = await import('./letter-queue.js')
    return openLetterQueue({ ...configuration, clock })
  }
  const { openLetterBucket } = await import('./letter-bucket.js')
  return openLetterBucket(configuration, clock)
}

function tryLetters(directory: string): void {
  try {
    tryDirectory(directory)
  } catch (cause) {
    // Which directory that is depends on where the process was started.
    const whole = isAbsolute(directory) ? '' : `, which is ${resolve(directory)}`
    throw new FirehoseError(
      'ERR_SETTINGS',
      `Wrong settings:\n  deadLetters: got ${JSON.stringify(directory)}${whole}, in which nothing can be kept; ` +
        `${withFix(cause)}, or an SQS queue or S3, such as s3://BUCKET/PREFIX`,
      { cause },
    )
  }
}

import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemClock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import type { SpillConfiguration, SpillQueueConfiguration } from '../../plugin/settings/spill-settings.js'
import { parseName } from '../../plugin/spill/file-name.js'
import { QueueApi, type QueueClient, queueClient } from '../../plugin/spill/queue-api.js'
import { messagesIn } from '../../plugin/spill/queue-level.js'

/** Where what cannot be delivered is kept, and, of a directory, what is there already. */
export async function spillLine(spill: SpillConfiguration): Promise<string> {
  const what = 'Spill, for what cannot be delivered in time'
  if ('queueUrl' in spill) return `${what}: the SQS queue ${spill.queueUrl}`
  const counts = await countsIn(spill.directory)
  const records = counts.reduce((sum, count) => sum + count, 0)
  const held = `, holds ${records} record(s) in ${counts.length} file(s) to be sent`
  return `${what}: ${resolve(spill.directory)}${counts.length === 0 ? '' : held}`
}

/** Logs how many messages a queue holds already, once SQS has answered: the start does not wait for it. Never rejects. */
export async function tellQueueLevel(queue: SpillQueueConfiguration, logger: Logger): Promise<void> {
  let client: QueueClient | undefined
  try {
    // Load SQS only here: a spill in a directory does not need it.
    const sdk = await import('@aws-sdk/client-sqs')
    client = await queueClient(sdk, queue)
    const attributes = await new QueueApi(sdk, client, queue, systemClock).attributes()
    const messages = messagesIn(attributes)
    if (messages > 0) logger.info(`The spill queue holds about ${messages} message(s) to be sent`)
  } catch {
    // The spill logs what is wrong with the queue when it is opened.
  } finally {
    client?.destroy()
  }
}

/** The number of records in each file of the spill. */
async function countsIn(directory: string): Promise<number[]> {
  // A directory that is not there yet is made; one that cannot be read the spill tells, when it is opened.
  const names = await readdir(directory).catch(() => [])
  return names.flatMap((text) => {
    const found = parseName(text)
    return found?.state === 'free' || found?.state === 'claimed' ? [found.name.count] : []
  })
}

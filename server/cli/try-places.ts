import { systemClock } from '../../plugin/clock.js'
import { tryPlace } from '../../plugin/dead-letters/open-dead-letters.js'
import { wordsFor } from '../../plugin/dead-letters/remote-letters.js'
import type { SpillQueueConfiguration } from '../../plugin/settings/spill-settings.js'
import { QueueApi, queueClient } from '../../plugin/spill/queue-api.js'
import { unusable } from '../../plugin/spill/queue-settings.js'
import type { ProxyConfiguration } from '../config/configuration.js'

/**
 * Tries what `serve` needs in SQS and S3 only in an outage, or for an event that can never be delivered.
 *
 * @returns a line for each place that cannot be used: the reason and the fix
 */
export async function tryPlaces({
  spill,
  deadLetters,
}: Pick<ProxyConfiguration, 'spill' | 'deadLetters'>): Promise<readonly string[]> {
  const problems = await Promise.all([
    spill !== undefined && 'queueUrl' in spill ? spillProblem(spill) : undefined,
    deadLetters !== undefined && deadLetters.kind !== 'directory' ? letterProblem(deadLetters) : undefined,
  ])
  return problems.filter((it) => it !== undefined)
}

async function spillProblem(spill: SpillQueueConfiguration): Promise<string | undefined> {
  const sdk = await import('@aws-sdk/client-sqs')
  const client = await queueClient(sdk, spill)
  const api = new QueueApi(sdk, client, spill, systemClock)
  try {
    await api.attributes()
    await Promise.all([api.trySend(), api.tryRelease()])
    return undefined
  } catch (error) {
    const { name, message } = error as Error
    const final = unusable(spill, error)
    return `spill: ${final?.message ?? `the queue ${spill.queueUrl} does not answer in ${spill.region} (${name}: ${message})`}`
  } finally {
    client.destroy()
  }
}

async function letterProblem(place: Parameters<typeof tryPlace>[0]): Promise<string | undefined> {
  try {
    await tryPlace(place, systemClock)
    return undefined
  } catch (error) {
    return wordsFor(place, error)
  }
}

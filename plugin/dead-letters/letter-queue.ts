import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { isAccessDenied } from '../aws/error-classes.js'
import type { Clock } from '../clock.js'
import type { DeadLetterQueue } from '../settings/dead-letter-settings.js'
import { ATTRIBUTES_BYTES, encodeLines, type OutgoingMessage, textAttributes } from '../spill/line-message.js'
import { type MessageGroup, MessageSender } from '../spill/message-sender.js'
import { QueueApi, queueClient } from '../spill/queue-api.js'
import { UnfitRecordError } from '../spill/spill.js'
import type { LetterPlace } from './remote-letters.js'

/** What the messages of dead letters have as attributes, besides their `encoding`. */
export const LETTER_ATTRIBUTES = { version: '1', kind: 'dead-letters' } as const

/** Until the limits of the queue are known, each try finds a smaller one. */
const MAX_TRIES = 12

export interface LetterQueueOptions extends Omit<DeadLetterQueue, 'kind'> {
  readonly clock: Clock
}

/**
 * A standard SQS queue as a place of dead letters. A message has the lines of as many letters as it holds; a letter that
 * is too large for one, even when it is compressed, goes in several as parts.
 */
export async function openLetterQueue(options: LetterQueueOptions): Promise<LetterPlace> {
  const { clock } = options
  // Loaded here and not at the top: whoever keeps dead letters elsewhere needs no SQS.
  const sdk = await import('@aws-sdk/client-sqs')
  const client = await queueClient(sdk, options, clock)
  const api = new QueueApi(sdk, client, options, clock)
  const sender = new MessageSender(api, clock, 'the dead letters')
  return {
    tryOut: async () => {
      const { MaximumMessageSize } = await attributesOf(api)
      if (MaximumMessageSize !== undefined) sender.maxMessageBytes = Number(MaximumMessageSize)
      await api.trySend()
    },
    write: (lines) => send(lines, sender),
    close: () => client.destroy(),
  }
}

/** None where the policy allows to send alone: then the size of a message is learned. */
async function attributesOf(api: QueueApi): Promise<Readonly<Record<string, string>>> {
  try {
    return await api.attributes()
  } catch (error) {
    if (isAccessDenied(error)) return {}
    throw error
  }
}

async function send(lines: readonly Uint8Array[], sender: MessageSender): Promise<void> {
  const [error] = await sender.send([groupOf(lines)])
  if (error === undefined) return
  if (!(error instanceof UnfitRecordError)) throw error
  for (const line of lines) await sendAlone(line, sender)
}

async function sendAlone(line: Uint8Array, sender: MessageSender): Promise<void> {
  const [error] = await sender.send([groupOf([line])])
  if (error === undefined) return
  if (!(error instanceof UnfitRecordError)) throw error
  for (let tries = 1; ; tries++) {
    const [error] = await sender.send([partsOf(line)])
    if (error === undefined) return
    if (!(error instanceof UnfitRecordError) || tries === MAX_TRIES) throw error
  }
}

function groupOf(lines: readonly Uint8Array[]): MessageGroup {
  const nameOf = (bytes: number) => `A dead letter of ${bytes} bytes`
  return {
    encode: (maxBodyBytes) => encodeLines({ lines, attributes: LETTER_ATTRIBUTES, nameOf }, maxBodyBytes),
  }
}

/** One line, compressed and cut. Whoever reads it needs all of its parts, in order. */
function partsOf(line: Uint8Array): MessageGroup {
  const text = gzipSync(line).toString('base64')
  const letter = randomUUID()
  return {
    encode(maxBodyBytes) {
      const count = Math.ceil(text.length / maxBodyBytes)
      return Array.from({ length: count }, (_, index): OutgoingMessage => {
        const body = text.slice(index * maxBodyBytes, (index + 1) * maxBodyBytes)
        const part = `${index + 1}/${count}`
        return {
          body,
          attributes: textAttributes({ ...LETTER_ATTRIBUTES, encoding: 'gzip', letter, part }),
          lines: 1,
          bytes: body.length + ATTRIBUTES_BYTES,
          split() {
            throw new UnfitRecordError('The parts of a dead letter are made anew')
          },
        }
      })
    },
  }
}

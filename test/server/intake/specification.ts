import type { Sender } from '../../../server/http/sender.js'
import { channelOf } from '../../../server/intake/channel.js'
import { type IpPolicy, withPolicy } from '../../../server/intake/ip-policy.js'
import { timestampsOf } from '../../../server/intake/timestamps.js'
import { isJsonObject, type JsonObject } from '../../../server/json-object.js'

const NUMBER = '\u0001#'
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g

/** JSON.parse that reads each number as its digits, marked as such. */
export function parseDigits(text: string): unknown {
  return JSON.parse(text.replace(TOKENS, (token) => (token.startsWith('"') ? token : `"\\u0001#${token}"`)))
}

export interface Surroundings {
  readonly shared: JsonObject
  readonly receivedAt: string
  readonly sender: Sender
  readonly newId: () => string
  readonly policy: IpPolicy
  readonly projectId: string
}

/**
 * What normalisation makes of an event, written down a second time on parsed values and without a thought for speed:
 * what `normalize` is held to. Numbers are as {@link parseDigits} reads them.
 */
export function specified(event: JsonObject, type: string, around: Surroundings): unknown {
  const { shared, sender, newId, policy, projectId } = around
  const { writeKey: _key, sentAt: _sentAt, ...own } = event
  const context = merged(shared['context'], event['context'])
  const integrations = merged(shared['integrations'], event['integrations'])
  const channel = event['channel'] ?? channelOf(libraryOf(context), sender)
  const final = withClient(context, { channel, sender, policy })
  return {
    ...own,
    type,
    messageId: messageIdOf(event['messageId']) ?? newId(),
    channel,
    version: `${NUMBER}2`,
    projectId,
    ...timesOf(event, around, libraryOf(context)),
    ...(integrations === undefined ? {} : { integrations }),
    ...(final === undefined ? {} : { context: final }),
  }
}

function merged(shared: unknown, own: unknown): unknown {
  if (!isJsonObject(shared)) return own
  return isJsonObject(own) ? { ...shared, ...own } : shared
}

function libraryOf(context: unknown): string | undefined {
  const library = isJsonObject(context) ? context['library'] : undefined
  const name = isJsonObject(library) ? library['name'] : undefined
  return typeof name === 'string' && !isNumber(name) ? name : undefined
}

function withClient(
  context: unknown,
  { channel, sender, policy }: { channel: unknown; sender: Sender; policy: IpPolicy },
): unknown {
  const isEmptyList = Array.isArray(context) && context.length === 0
  const isPlace = context === undefined || context === null || isEmptyList || isJsonObject(context)
  if (!isPlace) return context
  const own = isJsonObject(context) ? context : {}
  const made: Record<string, unknown> = { ...own }
  const ip = own['ip'] ?? (channel === 'server' ? undefined : sender.ip) ?? own['ip']
  const userAgent =
    own['userAgent'] ?? (channel === 'server' ? undefined : sender.userAgent) ?? own['userAgent']
  const allowed =
    typeof ip === 'string' && !isNumber(ip) ? withPolicy(ip, policy) : policy === 'keep' ? ip : undefined
  delete made['ip']
  if (allowed !== undefined) made['ip'] = allowed
  if (userAgent !== undefined) made['userAgent'] = userAgent
  return Object.keys(made).length > 0 || isJsonObject(context) ? made : context
}

function timesOf(
  event: JsonObject,
  { shared, receivedAt }: Surroundings,
  library: string | undefined,
): object {
  const given = {
    originalTimestamp: event['originalTimestamp'],
    timestamp: event['timestamp'],
    sentAt: event['sentAt'] ?? shared['sentAt'],
  }
  const read = {
    originalTimestamp: numberIn(given.originalTimestamp),
    timestamp: numberIn(given.timestamp),
    sentAt: numberIn(given.sentAt),
  }
  const names = ['originalTimestamp', 'timestamp', 'sentAt'] as const
  const asCame = (time: unknown) => {
    const from = names.find((name) => read[name] === time)
    return from === undefined ? time : given[from]
  }
  const times = timestampsOf(read, receivedAt, { library, timestamps: 'segment' })
  return Object.fromEntries(
    Object.entries(times).flatMap(([name, time]) => (time === undefined ? [] : [[name, asCame(time)]])),
  )
}

function messageIdOf(given: unknown): string | undefined {
  if (isNumber(given)) return given.slice(NUMBER.length)
  return typeof given === 'string' && given !== '' ? given : undefined
}

function isNumber(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(NUMBER)
}

function numberIn(value: unknown): unknown {
  return isNumber(value) ? Number(value.slice(NUMBER.length)) : value
}

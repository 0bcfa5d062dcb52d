import * as z from 'zod'
import { MAX_RECORD_BYTES } from '../limits.js'
import { httpsProxy, integer } from './fields.js'
import { regionOfUrl } from './regions.js'
import type { SpillSettings } from './settings.js'

/** A spill's settings, checked and complete. */
export type SpillConfiguration = { readonly drainShare: number } & (
  | { readonly directory: string; readonly maxBytes: number }
  | {
      readonly queueUrl: string
      readonly region: string
      readonly httpsProxy?: string | false | undefined
    }
)

/** Those of a spill in an SQS queue. */
export type SpillQueueConfiguration = Extract<SpillConfiguration, { readonly queueUrl: string }>

const SPILL =
  "give a directory, such as './spill', the URL of an SQS queue, { directory, maxBytes, drainShare } or { queueUrl, region, drainShare }"
const DIRECTORY = 'give a directory'
const QUEUE =
  'give the URL of a standard SQS queue, such as https://sqs.us-west-2.amazonaws.com/123456789012/spill'
const REGION = "name the queue's AWS region, such as 'us-west-2'"
const SHARE = 'use a number above 0 and up to 1'

/** Ends in the account's ID, which ElasticMQ may write as `queue`, and the name of the queue. */
export const QUEUE_URL = /^https?:\/\/[^/]+\/(?:.*\/)?(?:\d{12}|queue)\/[\w-]{1,80}(?<fifo>\.fifo)?$/
const DEFAULT_MAX_BYTES = 1024 * 1024 * 1024
const DEFAULT_DRAIN_SHARE = 0.25

const drainShare = z.number({ error: SHARE }).positive({ error: SHARE }).max(1, { error: SHARE }).optional()

const directory = z.strictObject({
  directory: z.string({ error: DIRECTORY }).min(1, { error: DIRECTORY }),
  maxBytes: integer(MAX_RECORD_BYTES, Number.MAX_SAFE_INTEGER, 'bytes').optional(),
  drainShare,
})

const queue = z.strictObject({
  queueUrl: queueUrl(),
  region: z.string({ error: REGION }).min(1, { error: REGION }).optional(),
  httpsProxy: httpsProxy().optional(),
  drainShare,
})

/** SQS takes only what is signed for the queue's own region. */
const consistentQueue = queue.superRefine(checkRegionOfQueue)

/** The URL of a standard SQS queue. */
export function queueUrl() {
  return z
    .string({ error: QUEUE })
    .regex(QUEUE_URL, { error: QUEUE })
    .refine((url) => QUEUE_URL.exec(url)?.groups?.['fifo'] === undefined, { error: QUEUE })
}

/** Refuses a region that is not the one in the queue's URL. */
export function checkRegionOfQueue(
  { queueUrl, region }: { readonly queueUrl: string; readonly region?: string | undefined },
  context: z.core.$RefinementCtx,
): void {
  const own = regionOfUrl(queueUrl)
  if (own === undefined || region === undefined || own === region) return
  const message = `the queue's URL is of ${own}: leave region out, or name the queue of that region`
  context.addIssue({ code: 'custom', path: ['region'], input: region, message })
}

/** The region of a queue for which none is given: that of its URL, else that of this process. */
export function regionOfQueue(queueUrl: string, env: Readonly<Record<string, string | undefined>>): string {
  return regionOfUrl(queueUrl) ?? (env['AWS_REGION'] || 'us-west-2')
}

/** Where records are kept that cannot be delivered in time. */
export function spill() {
  return z.unknown().transform((given, context): SpillSettings => {
    const whole = typeof given === 'string' ? spillNamed(given) : given
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole))
      return refuse(context, SPILL, given)
    const parsed = (isQueue(whole) ? consistentQueue : directory).safeParse(whole, { reportInput: true })
    if (parsed.success) return parsed.data
    for (const issue of parsed.error.issues)
      context.issues.push({ ...issue } as (typeof context.issues)[number])
    return z.NEVER
  })
}

/** The names of the settings that `given` may hold, to suggest the one that was meant. */
export function spillNames(given: unknown): readonly string[] {
  const whole = Object(given)
  if (isQueue(whole)) return Object.keys(queue.shape)
  const names = Object.keys(directory.shape)
  return 'directory' in whole ? names : [...new Set([...names, ...Object.keys(queue.shape)])]
}

/** By what only a queue has, though it be misspelt. */
function isQueue(given: object): boolean {
  if ('directory' in given) return 'queueUrl' in given
  return Object.keys(given).some((name) => name === 'region' || /^queue/i.test(name))
}

function refuse(context: z.core.ParsePayload, message: string, input: unknown): never {
  context.issues.push({ code: 'custom', message, input })
  return z.NEVER
}

/** Text is a directory, unless it is a URL. */
function spillNamed(text: string): SpillSettings {
  return /^https?:\/\//.test(text) ? { queueUrl: text } : { directory: text }
}

/** Fills in what was left out. */
export function completeSpill(
  given: SpillSettings,
  env: Readonly<Record<string, string | undefined>> = process.env,
): SpillConfiguration {
  const { drainShare = DEFAULT_DRAIN_SHARE } = given
  if ('directory' in given) {
    return { directory: given.directory, maxBytes: given.maxBytes ?? DEFAULT_MAX_BYTES, drainShare }
  }
  const { queueUrl, region = regionOfQueue(queueUrl, env), httpsProxy } = given
  return { queueUrl, region, ...(httpsProxy !== undefined && { httpsProxy }), drainShare }
}

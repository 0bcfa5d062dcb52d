import * as z from 'zod'
import { deadLetters } from '../../plugin/settings/dead-letter-settings.js'
import { flag, httpUrl, integer, logger, oneOf } from '../../plugin/settings/fields.js'
import { spill } from '../../plugin/settings/spill-settings.js'
import { isOriginPattern } from '../http/allowed-origins.js'
import { isTrustSetting, type TrustSetting } from '../http/client-address.js'
import { HEADER_BYTES, MAX_BODY_BYTES } from '../http/limits.js'
import { browserSchema } from '../web/browser-settings.js'
import { parsePublicUrl } from '../web/public-url.js'

const WRITE_KEY = 'give the write key in quotes, or a list of them'

const NO_SPACE = 'give the write key without spaces around it and line breaks, which no sender sends'

/** Secrets kept in files end in a line break, as a rule. */
const writeKey = z
  .string({ error: WRITE_KEY })
  .min(1, { error: WRITE_KEY })
  .regex(/^(\S(.*\S)?)?$/, { error: NO_SPACE })

const ORIGIN = "give origins such as 'https://www.example.com' or 'https://*.example.com', or '*' for all"

const origin = z
  .string({ error: ORIGIN })
  .refine((it) => it === '*' || isOriginPattern(it), { error: ORIGIN })

/** Text, as it comes from the environment, may be a setting of another type. */
function trustFromText(given: unknown): unknown {
  if (given === 'true' || given === 'false') return given === 'true'
  return typeof given === 'string' && /^\d{1,3}$/.test(given) ? Number(given) : given
}

const MOST_IN_A_WINDOW = 1_000_000_000

const rateLimit = z
  .strictObject(
    {
      limit: integer(1, MOST_IN_A_WINDOW, 'requests').optional(),
      windowMs: integer(1, 86_400_000, 'ms').optional(),
      maxEvents: integer(1, MOST_IN_A_WINDOW, 'events').optional(),
    },
    { error: 'give { limit, windowMs, maxEvents }' },
  )
  .superRefine(({ limit, maxEvents }, context) => {
    if (limit !== undefined || maxEvents !== undefined) return
    const message = `use a whole number of requests from 1 to ${MOST_IN_A_WINDOW}, or give maxEvents`
    context.issues.push({ code: 'custom', path: ['limit'], input: undefined, message })
  })

const dedupe = z.strictObject(
  {
    windowMs: integer(1, 86_400_000, 'ms').optional(),
    maxEntries: integer(1, 10_000_000, 'IDs').optional(),
  },
  { error: 'give { windowMs, maxEntries }, or false' },
)

const forward = z.strictObject(
  {
    url: baseUrl().optional(),
    enabled: flag().optional(),
    maxQueuedBytes: integer(MAX_BODY_BYTES, Number.MAX_SAFE_INTEGER, 'bytes').optional(),
    cdn: baseUrl().optional(),
  },
  { error: 'give { url, enabled, maxQueuedBytes, cdn }' },
)

const DESTINATION = "give the destination's settings, such as region and mappedStreams"

const destination = z.looseObject({}, { error: DESTINATION })

/** `destination` is checked by the plugin's own schema. */
const source = z.strictObject(
  {
    id: z.string({ error: "give Segment's source ID in quotes" }),
    name: text("give the source's name").optional(),
    writeKey: z.union([writeKey, z.array(writeKey).min(1, { error: WRITE_KEY })], { error: WRITE_KEY }),
    destination: z.union([destination, z.array(destination).min(1, { error: DESTINATION })], {
      error: DESTINATION,
    }),
    enabled: flag().optional(),
    origins: z.union([origin, z.array(origin).min(1, { error: ORIGIN })], { error: ORIGIN }).optional(),
    ip: oneOf(['keep', 'truncate', 'drop']).optional(),
    timestamps: oneOf(['segment', 'keep']).optional(),
    rateLimit: rateLimit.optional(),
    dedupe: z
      .union([z.literal(false), dedupe], { error: 'give { windowMs, maxEntries }, or false' })
      .optional(),
    browser: browserSchema.optional(),
    forward: forward.optional(),
  },
  { error: 'give a source of { id, writeKey, destination }' },
)

const address = {
  host: text('give a host name or address, such as 127.0.0.1').optional(),
  port: integer(0, 65_535).optional(),
}

const listen = z.strictObject(
  { ...address, maxHeaderBytes: integer(HEADER_BYTES.min, HEADER_BYTES.max, 'bytes').optional() },
  { error: 'give { host, port, maxHeaderBytes }' },
)

const metrics = z.strictObject(address, { error: 'give { port, host }' })

const CUSTOM_PATH = "give a path of one part that is not in use, such as '/e7'"
const PUBLIC_URL = "give the URL that clients reach, such as 'https://events.example.com/analytics'"
const TAKEN_PATHS: ReadonlySet<string> = new Set([
  '/v1',
  '/beacon',
  '/sourceConfig',
  '/pixel',
  '/projects',
  '/analytics-next',
  '/next-integrations',
  '/snippet',
  '/healthz',
  '/readyz',
])

const proxyFields = {
  sources: z
    .array(source, { error: 'give a list of sources' })
    .min(1, { error: 'give a source of { id, writeKey, destination }' }),
  // Less would refuse for ever a body of the size that is allowed.
  maxBufferedBytes: integer(MAX_BODY_BYTES, Number.MAX_SAFE_INTEGER).optional(),
  maxClients: integer(1, 100_000).optional(),
  spill: spill().optional(),
  deadLetters: deadLetters().optional(),
  trustProxy: z
    .preprocess(
      trustFromText,
      z.custom<TrustSetting>(isTrustSetting, {
        error: 'give true, false, the number of proxies, or their addresses, such as 10.0.0.0/8 or loopback',
      }),
    )
    .optional(),
  publicUrl: z
    .string({ error: PUBLIC_URL })
    .refine((given) => parsePublicUrl(given) !== undefined, { error: PUBLIC_URL })
    .optional(),
  customPath: z
    .string({ error: CUSTOM_PATH })
    .regex(/^\/[A-Za-z0-9_-]{1,64}$/, { error: CUSTOM_PATH })
    .refine((path) => !TAKEN_PATHS.has(path), { error: CUSTOM_PATH })
    .optional(),
  unversionedPaths: flag().optional(),
  onRequest: z
    .custom<(entry: never) => void>((given) => typeof given === 'function', { error: 'give a function' })
    .optional(),
  logger: logger().optional(),
}

export const proxySchema = z.strictObject(proxyFields)
export const serveSchema = z.strictObject({
  listen: listen.optional(),
  metrics: metrics.optional(),
  ...proxyFields,
})

/** A source whose own settings are right. */
export type SourceValues = z.output<typeof source>

function text(error: string) {
  return z.string({ error }).min(1, { error })
}

/** Paths are appended to it; and `fetch` takes no URL with a user in it: all would be tried in vain, for an hour. */
function baseUrl() {
  const isPlain = (given: string) => {
    if (!URL.canParse(given)) return true
    const { username, password, search, hash } = new URL(given)
    return [username, password, search, hash].every((part) => part === '')
  }
  return httpUrl()
    .refine(isPlain, { error: 'give a URL without user, password, query and fragment' })
    .refine((given) => !/\/v1\/*$/.test(given), {
      error: 'leave out /v1 at its end, which stands in the paths',
    })
}

import * as z from 'zod'
import { flag, integer, matching, oneOf } from '../../plugin/settings/fields.js'
import { closestName } from '../../plugin/settings/problems.js'

/** How browsers send events, in the words of analytics.js. */
export interface DeliveryStrategy {
  /** `standard`: a request for each event. `batching`: several in one. @default 'standard' */
  readonly strategy?: 'standard' | 'batching' | undefined
  readonly config?: DeliveryConfig | undefined
}

/** All of it is passed to analytics.js as given, including settings that this package does not know. */
interface DeliveryConfig {
  /** Headers to add to each request. SECURITY: everyone who opens the page can read them. @default none */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** When browsers send cookies. @default 'same-origin' */
  readonly credentials?: 'include' | 'same-origin' | 'omit' | undefined
  /** Batching only: events in a request at most. @default 10 */
  readonly size?: number | undefined
  /** Batching only: how long an event waits for others, in ms. @default 5000 */
  readonly timeout?: number | undefined
  /** Batching only: how often a request is sent again. @default 10 */
  readonly maxRetries?: number | undefined
  /** Lets requests outlive their page. Browsers allow 64 KB of them at a time. @default false */
  readonly keepalive?: boolean | undefined
  /** What browsers do first. @default 'auto' */
  readonly priority?: 'high' | 'low' | 'auto' | undefined
  /** Whatever else the installed version of analytics.js reads. */
  readonly [setting: string]: unknown
}

type StatusBehavior = 'drop' | 'retry'

/** After 429. All SDKs read it, where they know it. */
interface RateLimitConfig {
  /** Phones only. @default true */
  readonly enabled?: boolean | undefined
  /** @default 10 */
  readonly maxRetryCount?: number | undefined
  /** The longest `Retry-After` that is followed, in seconds. @default 300 */
  readonly maxRetryInterval?: number | undefined
  /** How long it is tried at all, in seconds. @default 43200 */
  readonly maxRateLimitDuration?: number | undefined
}

/** After other failures. */
interface BackoffConfig {
  /** Phones only. @default true */
  readonly enabled?: boolean | undefined
  /** @default 10 */
  readonly maxRetryCount?: number | undefined
  /** The first pause, in seconds. @default 0.5 */
  readonly baseBackoffInterval?: number | undefined
  /** The longest pause, in seconds. @default 60 */
  readonly maxBackoffInterval?: number | undefined
  /** How long it is tried at all, in seconds. @default 43200 */
  readonly maxTotalBackoffDuration?: number | undefined
  /** By how much pauses vary, in percent. @default 10 */
  readonly jitterPercent?: number | undefined
  /** @default 'drop' */
  readonly default4xxBehavior?: StatusBehavior | undefined
  /** @default 'retry' */
  readonly default5xxBehavior?: StatusBehavior | undefined
  /** By HTTP status, such as `{ '413': 'drop' }`. */
  readonly statusCodeOverrides?: Readonly<Record<string, StatusBehavior>> | undefined
}

/** When SDKs send again what was refused, in the words of analytics.js. Phones read it too. */
export interface HttpConfig {
  readonly rateLimitConfig?: RateLimitConfig | undefined
  readonly backoffConfig?: BackoffConfig | undefined
}

/** What a source's settings tell the SDKs that ask for them. */
export interface BrowserSettings {
  /** @default a request for each event */
  readonly deliveryStrategy?: DeliveryStrategy | undefined
  /** @default what each SDK does on its own */
  readonly httpConfig?: HttpConfig | undefined
}

const BATCHING_ONLY = ['size', 'timeout', 'maxRetries'] as const

/** `fetch` throws for any other name or value, so that the page would lose all its events. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

const headers = z.record(
  z.string().regex(HEADER_NAME),
  matching(HEADER_VALUE, 'give the text of an HTTP header in quotes, without line breaks'),
  {
    error: ({ code }) =>
      code === 'invalid_key'
        ? "give the name of an HTTP header, such as 'x-tenant'"
        : "give headers by name, such as { 'x-tenant': 'shop' }; settings cannot hold a function",
  },
)

const jsonValue = z.unknown().refine((given) => z.json().safeParse(given).success, {
  error: 'give a value that JSON can hold',
})

const deliveryConfig = z
  .object(
    {
      headers: headers.optional(),
      credentials: oneOf(['include', 'same-origin', 'omit']).optional(),
      size: integer(1, 500).optional(),
      timeout: integer(1, 3_600_000, 'ms').optional(),
      maxRetries: integer(0, 100).optional(),
      keepalive: flag().optional(),
      priority: oneOf(['high', 'low', 'auto']).optional(),
    },
    { error: 'give { size, timeout, maxRetries, keepalive, priority, headers, credentials, … }' },
  )
  .catchall(jsonValue)
  .superRefine((config, context) => {
    // Later versions of analytics.js may know more settings, but hardly one that looks like a typo of these.
    const known = Object.keys(deliveryConfig.shape)
    const keys = Object.keys(config).filter(
      (name) => !known.includes(name) && closestName(name, known) !== undefined,
    )
    if (keys.length > 0) context.addIssue({ code: 'unrecognized_keys', keys, input: config })
  })

const deliveryStrategy = z
  .strictObject(
    {
      strategy: oneOf(['standard', 'batching']).optional(),
      config: deliveryConfig.optional(),
    },
    { error: 'give { strategy, config }' },
  )
  .superRefine(({ strategy, config = {} }, context) => {
    if (strategy === 'batching') return
    for (const name of BATCHING_ONLY) {
      if (config[name] === undefined) continue
      context.addIssue({
        code: 'custom',
        path: ['config', name],
        input: config[name],
        message: "set strategy to 'batching', without which this does nothing",
      })
    }
  })

const statusBehavior = oneOf(['drop', 'retry'])

/**
 * Ranges are those of analytics.js. Numbers are whole where analytics-kotlin takes whole ones: it lets go of all of
 * this for one that is not.
 */
const httpConfig = z.strictObject(
  {
    rateLimitConfig: z
      .strictObject(
        {
          enabled: flag().optional(),
          maxRetryCount: integer(0, 100).optional(),
          maxRetryInterval: integer(1, 86_400, 'seconds').optional(),
          maxRateLimitDuration: integer(10, 86_400, 'seconds').optional(),
        },
        { error: 'give { enabled, maxRetryCount, maxRetryInterval, maxRateLimitDuration }' },
      )
      .optional(),
    backoffConfig: z
      .strictObject(
        {
          enabled: flag().optional(),
          maxRetryCount: integer(0, 100).optional(),
          baseBackoffInterval: seconds(0.1, 300).optional(),
          maxBackoffInterval: integer(1, 86_400, 'seconds').optional(),
          maxTotalBackoffDuration: integer(60, 604_800, 'seconds').optional(),
          jitterPercent: integer(0, 100, 'percent').optional(),
          default4xxBehavior: statusBehavior.optional(),
          default5xxBehavior: statusBehavior.optional(),
          statusCodeOverrides: statusCodeOverrides().optional(),
        },
        { error: 'give { maxRetryCount, baseBackoffInterval, maxBackoffInterval, … }' },
      )
      .optional(),
  },
  { error: 'give { rateLimitConfig, backoffConfig }' },
)

export const browserSchema = z.strictObject(
  { deliveryStrategy: deliveryStrategy.optional(), httpConfig: httpConfig.optional() },
  { error: 'give { deliveryStrategy, httpConfig }' },
)

function seconds(min: number, max: number) {
  const error = `use a number of seconds from ${min} to ${max}`
  return z.number({ error }).min(min, { error }).max(max, { error })
}

function statusCodeOverrides() {
  const error = "give 'drop' or 'retry' by HTTP status, such as { '413': 'drop' }"
  return z.record(z.string().regex(/^[1-5]\d\d$/, { error }), statusBehavior, { error })
}

import { describe, expect, it } from '@jest/globals'
import { describeIssues } from '../../../plugin/settings/problems.js'
import { type BrowserSettings, browserSchema } from '../../../server/web/browser-settings.js'

const ALL: BrowserSettings = {
  deliveryStrategy: {
    strategy: 'batching',
    config: {
      size: 20,
      timeout: 3000,
      maxRetries: 5,
      keepalive: true,
      priority: 'low',
      credentials: 'include',
      headers: { 'x-tenant': 'shop', 'Content-Type': 'application/json' },
    },
  },
  httpConfig: {
    rateLimitConfig: { enabled: true, maxRetryCount: 5, maxRetryInterval: 60, maxRateLimitDuration: 600 },
    backoffConfig: {
      enabled: false,
      maxRetryCount: 5,
      baseBackoffInterval: 0.5,
      maxBackoffInterval: 60,
      maxTotalBackoffDuration: 600,
      jitterPercent: 10,
      default4xxBehavior: 'drop',
      default5xxBehavior: 'retry',
      statusCodeOverrides: { '413': 'drop' },
    },
  },
}

function problemsOf(given: unknown): readonly string[] {
  const { error } = browserSchema.safeParse(given, { reportInput: true })
  return describeIssues(error?.issues ?? [], [], ['browser'])
}

describe('browserSchema', () => {
  it('takes all that there is, and nothing', () => {
    const parsed: BrowserSettings = browserSchema.parse(ALL)
    expect(parsed).toEqual(ALL)
    expect(browserSchema.parse({})).toEqual({})
    expect(browserSchema.parse({ deliveryStrategy: { config: { keepalive: true } } })).toBeDefined()
    expect(browserSchema.parse({ deliveryStrategy: { config: { keepalive: 'false' } } })).toEqual({
      deliveryStrategy: { config: { keepalive: false } },
    })
  })

  it.each<[unknown, string]>([
    ['fast', 'browser: got "fast"; give { deliveryStrategy, httpConfig }'],
    [
      { deliveryStrategy: { strategy: 'batch' } },
      "browser.deliveryStrategy.strategy: got \"batch\"; use one of 'standard', 'batching'",
    ],
    [
      { deliveryStrategy: { strategy: 'batching', config: { size: 0 } } },
      'browser.deliveryStrategy.config.size: got 0; use a whole number from 1 to 500',
    ],
    [
      { deliveryStrategy: { config: { size: 10 } } },
      "browser.deliveryStrategy.config.size: got 10; set strategy to 'batching', without which this does nothing",
    ],
    [
      { deliveryStrategy: { config: { keepalive: 'yes' } } },
      'browser.deliveryStrategy.config.keepalive: got "yes"; use true or false',
    ],
    [
      { httpConfig: { rateLimitConfig: { maxRetryInterval: 0.5 } } },
      'browser.httpConfig.rateLimitConfig.maxRetryInterval: got 0.5; use a whole number of seconds from 1 to 86400',
    ],
    [
      { httpConfig: { backoffConfig: { baseBackoffInterval: 0 } } },
      'browser.httpConfig.backoffConfig.baseBackoffInterval: got 0; use a number of seconds from 0.1 to 300',
    ],
    [
      { httpConfig: { backoffConfig: { statusCodeOverrides: { '413': 'keep' } } } },
      "browser.httpConfig.backoffConfig.statusCodeOverrides.413: got \"keep\"; use one of 'drop', 'retry'",
    ],
  ])('says how to mend %j', (given, problem) => {
    expect(problemsOf(given)).toEqual([problem])
  })

  it('passes what a later analytics.js may read through as it is given', () => {
    const config = { compression: { level: 3, types: ['gzip'] }, mode: null }
    expect(browserSchema.parse({ deliveryStrategy: { config } })).toEqual({ deliveryStrategy: { config } })
  })

  it.each<[unknown, string]>([
    [
      { headers: () => ({}) },
      "headers: got a function; give headers by name, such as { 'x-tenant': 'shop' }; settings cannot hold a function",
    ],
    [{ headers: 'x-tenant: shop' }, 'headers: got "x-tenant: shop"; give headers by name'],
    [{ headers: { 'x tenant': 'a' } }, 'headers.x tenant: got "x tenant"; give the name of an HTTP header'],
    [{ headers: { 'x-tenant': 42 } }, 'headers.x-tenant: got 42; give the text of an HTTP header in quotes'],
    [{ headers: { 'x-tenant': 'a\nb' } }, 'give the text of an HTTP header in quotes, without line breaks'],
    [{ headers: { 'x-tenant': 'š' } }, 'headers.x-tenant: got "š"; give the text of an HTTP header'],
    [
      { credentials: true },
      "credentials: got a value (kept secret); use one of 'include', 'same-origin', 'omit'",
    ],
    [{ keepAlive: true }, 'keepAlive: is not a setting'],
    [{ compression: () => true }, 'compression: got a function; give a value that JSON can hold'],
    [true, 'got true; give { size, timeout, maxRetries, keepalive, priority, headers, credentials, … }'],
  ])('says how to mend the config %j', (config, problem) => {
    expect(problemsOf({ deliveryStrategy: { config } })).toEqual([expect.stringContaining(problem)])
  })

  it('takes statuses only for overrides', () => {
    expect(
      problemsOf({ httpConfig: { backoffConfig: { statusCodeOverrides: { '4xx': 'drop' } } } }),
    ).toHaveLength(1)
  })

  it('takes no name that it does not know', () => {
    expect(problemsOf({ batching: true })).toEqual([
      expect.stringMatching(/^browser\.batching: is not a setting/),
    ])
  })
})

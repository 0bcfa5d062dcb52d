import { describe, expect, it } from '@jest/globals'
import { describeIssues } from '../../../plugin/settings/problems.js'
import { type BrowserSettings, browserSchema } from '../../../server/web/browser-settings.js'

const ALL: BrowserSettings = {
  deliveryStrategy: {
    strategy: 'batching',
    config: { size: 20, timeout: 3000, maxRetries: 5, keepalive: true, priority: 'low' },
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

import { describe, expect, it } from '@jest/globals'
import { Facade } from '@segment/facade'
import fc from 'fast-check'
import { DESTINATION_NAME, isEnabledFor } from '../../plugin/integrations.js'
import { createMapper } from '../../plugin/mapper.js'

const OWN = DESTINATION_NAME

/** What Segment's own library makes of an event. */
function facadeEnables(event: object): boolean {
  return new Facade(structuredClone(event)).enabled(OWN)
}

describe('an event', () => {
  it.each<[unknown, boolean]>([
    [undefined, true],
    [null, true],
    [{}, true],
    ['none', true],
    [false, true],
    [0, true],
    ['', true],
    [[], true],
    [[OWN], true],
    [{ All: true }, true],
    ...['All', 'all', 'ALL', 'aLL', 'a l l', 'A-L-L', '_all', 'all!', '(all)', 'Äall'].map(
      (all): [unknown, boolean] => [{ [all]: false }, false],
    ),
    ...['alls', 'al', 'all.', '.all', 'all.x', 'ball', 'äll', ''].map((other): [unknown, boolean] => [
      { [other]: false },
      true,
    ]),
    [{ all: null }, true],
    [{ all: 0 }, true],
    [{ all: '' }, true],
    [{ all: 'false' }, true],
    [{ all: { enabled: false } }, true],
    // The first that fits decides.
    [{ all: true, All: false }, true],
    [{ All: false, all: true }, false],
    [{ all: 'odd', All: false }, true],
    [{ [OWN]: true }, true],
    [{ [OWN]: false }, false],
    [{ [OWN.toLowerCase()]: false }, true],
    [{ ALL: true, [OWN]: false }, false],
    ...[true, null, '', 0, 'off', {}, { some: 'option' }, []].map((own): [unknown, boolean] => [
      { all: false, [OWN]: own },
      true,
    ]),
    [{ all: false, [OWN]: false }, false],
    [{ all: false, [OWN.toLowerCase()]: true }, false],
    [{ all: false, 'Google Analytics': true }, false],
    [{ 'Google Analytics': false }, true],
    [{ providers: { all: false } }, true],
    [{ providers: { [OWN]: false } }, false],
    [{ providers: { [OWN]: 0 } }, false],
    [{ all: false, providers: { [OWN]: {} } }, true],
    [{ providers: { [OWN]: false }, [OWN]: true }, true],
    [{ Providers: { [OWN]: false } }, true],
    [{ providers: 'none' }, true],
    [{ 'options.providers': { all: false } }, true],
    [{ 'providers.all': false }, true],
  ])('with integrations %j is enabled: %j', (integrations, isEnabled) => {
    expect(facadeEnables({ integrations })).toBe(isEnabled)
    expect(isEnabledFor(integrations)).toBe(isEnabled)
  })

  it.each<[object, boolean]>([
    [{ options: { all: false } }, false],
    [{ options: { All: false }, integrations: { [OWN]: true } }, true],
    [{ options: { all: true }, integrations: { All: false } }, true],
    [{ options: { providers: { all: false } } }, false],
    [{ options: { 'providers.all': false } }, false],
    [{ options: { providers: {}, 'providers.all': false } }, true],
    [{ options: { providers: { all: 1 }, all: false } }, false],
    [{ options: { providers: null, all: false } }, false],
    [{ options: { PROVIDERS: { [OWN]: false } } }, false],
    [{ options: { providers: { [OWN]: false } }, integrations: {} }, true],
    [{ options: { providers: { [OWN]: false } }, integrations: null }, false],
    [{ options: { [OWN]: false } }, false],
    [{ options: { [OWN]: false }, integrations: '' }, false],
    [{ options: { integrations: { All: false } } }, true],
    [{ options: 'none' }, true],
    [{ options: null, integrations: { all: false } }, false],
    [{ options: [] }, true],
  ])(
    'with integrations in its options, the older place, is enabled as facade says: %j',
    (event, isEnabled) => {
      const { integrations, options } = event as { integrations?: unknown; options?: unknown }
      expect(facadeEnables(event)).toBe(isEnabled)
      expect(isEnabledFor(integrations, options)).toBe(isEnabled)
    },
  )

  const signs = fc.constantFrom('', '', '', ' ', '-', '_', '!', 'é', '.')
  /** Names that facade may take for ones that it looks for. */
  const disguised = fc
    .tuple(
      fc.constantFrom('all', 'All', 'ALL', 'providers', 'Providers', 'providers.all', 'options'),
      signs,
      signs,
    )
    .map(([name, before, after]) => `${before}${name[0]}${after}${name.slice(1)}`)
  const key = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(OWN, 'All', 'all', 'providers', 'options', 'integrations') },
    { weight: 3, arbitrary: disguised },
    fc.constantFrom(
      'options.providers',
      'options.providers.all',
      OWN.toLowerCase(),
      'Salesforce',
      'constructor',
    ),
    fc.constantFrom('toString', '0', '', '.', 'al', 'l'),
    fc.string({ maxLength: 4 }),
  )
  const leaf = fc.oneof(
    { weight: 4, arbitrary: fc.boolean() },
    fc.constantFrom(null, '', 'false', '2026-01-02T03:04:05.678Z', 0, 1, -0, 1.5),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, tie('object'), tie('array')),
    object: fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    array: fc.array(tie('value'), { maxLength: 2 }),
  }))
  const object = fc.dictionary(key, value, { maxKeys: 4 })
  const member = fc.oneof({ weight: 4, arbitrary: object }, { weight: 1, arbitrary: value })
  const isLikeOthers = (event: unknown) => !/"(__proto__|hasOwnProperty)"/.test(JSON.stringify(event))

  it('is enabled exactly where facade says so', () => {
    const event = fc.record(
      { integrations: member, options: member, type: fc.constant('track') },
      { requiredKeys: ['type'] },
    )
    const map = createMapper({ mappedStreams: { '*': 'all' }, region: 'us-west-2' })
    let off = 0
    fc.assert(
      fc.property(event.filter(isLikeOthers), (event) => {
        const isEnabled = facadeEnables(event)
        if (!isEnabled) off++
        expect(isEnabledFor(event.integrations, event.options)).toBe(isEnabled)
        expect(map.explain(event).verdict).toBe(isEnabled ? 'mapped' : 'off')
      }),
      { numRuns: 5_000 },
    )
    // Both answers come often enough to mean something.
    expect(off).toBeGreaterThan(50)
    expect(off).toBeLessThan(4_950)
  })

  it.each<[string, boolean]>([
    ['{"__proto__":{"All":false}}', true],
    ['{"__proto__":{"providers":{"Amazon Kinesis Firehose":false}}}', true],
    ['{"__proto__":null}', true],
    ['{"__proto__":null,"All":false}', false],
    ['{"hasOwnProperty":1,"All":false}', false],
    ['{"hasOwnProperty":1,"Amazon Kinesis Firehose":false}', false],
    ['{"All":false,"providers":{"hasOwnProperty":1,"Amazon Kinesis Firehose":true}}', true],
  ])('takes names of JavaScript for names as any other, where facade does not: %s', (json, isEnabled) => {
    expect(isEnabledFor(JSON.parse(json))).toBe(isEnabled)
    expect(isEnabledFor(undefined, JSON.parse(json))).toBe(isEnabled)
  })

  it('inherits no switch', () => {
    expect(isEnabledFor(Object.create({ All: false, [OWN]: false }))).toBe(true)
  })

  it('is what its JSON says: a member that is undefined is not there', () => {
    expect(isEnabledFor({ All: false, [OWN]: undefined })).toBe(false)
    expect(isEnabledFor({ all: undefined, All: false })).toBe(false)
    expect(isEnabledFor({ providers: { [OWN]: undefined }, All: false })).toBe(false)
  })

  it('has no switch in its context, where facade finds one', () => {
    const map = createMapper({ mappedStreams: { '*': 'all' }, region: 'us-west-2' })
    const event = { type: 'track', context: { all: true }, integrations: { All: false } }
    expect([facadeEnables(event), map.explain(event).verdict]).toEqual([true, 'off'])
  })
})

import { basename } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { readSources, type Source } from './sources.js'

const sources = readSources('plugin', 'server')
const byPath = new Map(sources.map((source) => [source.path, source]))

/** `a → b` for each import from one place to another. */
function importsFrom(from: (path: string) => boolean, to: (path: string) => boolean): string[] {
  return sources
    .filter(({ path }) => from(path))
    .flatMap(({ path, imports }) => imports.filter(to).map((target) => `${path} → ${target}`))
}

function under(...places: readonly string[]) {
  return (path: string) =>
    places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
}

function not(test: (path: string) => boolean) {
  return (path: string) => !test(path)
}

const WHOLE_REQUEST = ['server/http/handle.ts', 'server/http/events-request.ts']

describe('imports', () => {
  it('are found', () => {
    expect(byPath.get('plugin/mapper.ts')?.imports).toEqual(
      expect.arrayContaining(['plugin/router.ts', 'plugin/settings/configuration.ts']),
    )
  })

  it('lead to sources that are there', () => {
    const broken = importsFrom(
      () => true,
      (target) => target.endsWith('.ts') && !byPath.has(target),
    )
    expect(broken).toEqual([])
  })

  it('form no cycle, types included', () => {
    expect(cyclesOf(sources)).toEqual([])
  })

  it.each<[string, (path: string) => boolean, (path: string) => boolean]>([
    ['the plugin imports nothing of the server', under('plugin/'), under('server/')],
    [
      'the local AWS imports nothing outside itself',
      under('server/local-aws/'),
      not(under('server/local-aws/')),
    ],
    [
      'aws imports nothing of delivery or above',
      under('plugin/aws/'),
      under('plugin/delivery/', 'plugin/destination.ts', 'plugin/plugin.ts', 'plugin/index.ts'),
    ],
    [
      'delivery imports nothing above it',
      under('plugin/delivery/'),
      under('plugin/destination.ts', 'plugin/plugin.ts', 'plugin/index.ts'),
    ],
    [
      'settings import nothing of aws, delivery or above',
      under('plugin/settings/'),
      under(
        'plugin/aws/',
        'plugin/delivery/',
        'plugin/destination.ts',
        'plugin/plugin.ts',
        'plugin/index.ts',
      ),
    ],
    [
      'intake imports nothing of forward, web, or the command line and its configuration',
      under('server/intake/'),
      under('server/forward/', 'server/web/', 'server/config/', 'server/cli/'),
    ],
    [
      'forward imports nothing of intake, web, or the command line and its configuration',
      under('server/forward/'),
      under('server/intake/', 'server/web/', 'server/config/', 'server/cli/'),
    ],
    [
      'web imports nothing of intake, forward, or the command line and its configuration',
      under('server/web/'),
      under('server/intake/', 'server/forward/', 'server/config/', 'server/cli/'),
    ],
    [
      'http imports intake, forward and web only where it handles a whole request',
      (path) => under('server/http/')(path) && !under(...WHOLE_REQUEST)(path),
      under('server/intake/', 'server/forward/', 'server/web/', 'server/config/', 'server/cli/'),
    ],
    [
      'nothing but the binary imports the command line',
      not(under('server/cli/', 'server/bin.ts')),
      under('server/cli/'),
    ],
    [
      'nothing but the command line imports the metrics page',
      not(under('server/cli/', 'server/metrics/')),
      under('server/metrics/'),
    ],
    ['errors import nothing', under('plugin/errors.ts'), () => true],
    [
      'nothing but the server imports the plugin by its index',
      not(under('server/')),
      under('plugin/index.ts'),
    ],
  ])('keep their direction: %s', (_rule, from, to) => {
    expect(importsFrom(from, to)).toEqual([])
  })
})

describe('a source', () => {
  it('exports by name, never all of another', () => {
    expect(
      sources.filter(({ text }) => /^\s*export\s+(?:type\s+)?\*/m.test(text)).map(({ path }) => path),
    ).toEqual([])
  })

  it('is not a bag of things that have no owner', () => {
    const bags = /^(?:utils?|helpers?|common|types?|misc|shared)(?:\.d)?\.ts$/
    expect(sources.map(({ path }) => path).filter((path) => bags.test(basename(path)))).toEqual([])
  })

  it('has 300 lines at most', () => {
    const long = sources.flatMap(({ path, text }) => {
      const lines = text.split('\n').length - 1
      return lines > 300 ? [`${path}: ${lines}`] : []
    })
    expect(long).toEqual([])
  })
})

describe('cyclesOf', () => {
  const source = (path: string, ...imports: string[]): Source => ({ path, text: '', imports })

  it('finds cycles of any length, and none in a diamond', () => {
    expect(cyclesOf([source('a', 'a')])).toEqual(['a → a'])
    expect(cyclesOf([source('x', 'a'), source('a', 'b'), source('b', 'c'), source('c', 'a')])).toEqual([
      'a → b → c → a',
    ])
    expect(cyclesOf([source('a', 'b', 'c'), source('b', 'd'), source('c', 'd'), source('d')])).toEqual([])
  })
})

/** Each import that leads back to where it came from, with the way there. */
function cyclesOf(all: readonly Source[]): string[] {
  const importsOf = new Map(all.map(({ path, imports }) => [path, imports]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' → '))
    if (done.has(path) || way.includes(path)) return
    for (const next of importsOf.get(path) ?? []) visit(next, [...way, path])
    done.add(path)
  }
  for (const { path } of all) visit(path, [])
  return cycles
}

import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { parseConfigFile } from '../../../server/config/config-file.js'
import { tempDir } from '../temp-dir.js'

const redact = (event: object) => ({ ...event, redacted: true })
const MODULES = new Map<string, unknown>([
  ['es.mjs', { default: redact }],
  ['common.cjs', redact],
  ['object.cjs', { redact }],
])

function load(path: string): unknown {
  const name = path.slice(resolve('.').length + 1)
  if (MODULES.has(name)) return MODULES.get(name)
  if (name === 'broken.mjs') throw new SyntaxError('Unexpected token\nhere')
  throw Object.assign(new Error(`Cannot find module '${path}'`), { code: 'MODULE_NOT_FOUND' })
}

const read = (destination: unknown) => {
  const source = { id: 'src_web', writeKey: 'k', destination }
  return parseConfigFile(JSON.stringify({ sources: [source] }), { env: {}, loadModule: load })
}

const mappedStreams = { '*': 'all' }

describe("a transform's path in the config file", () => {
  it.each(['./es.mjs', 'common.cjs', resolve('es.mjs')])(
    'stands for what %s exports by default',
    (transform) => {
      expect(read({ mappedStreams, transform })).toMatchObject({
        configuration: { sources: [{ destinations: [{ transform: redact }] }] },
      })
    },
  )

  it('is one of each destination', () => {
    expect(read([{ mappedStreams }, { mappedStreams, transform: 'es.mjs' }])).toMatchObject({
      configuration: { sources: [{ destinations: [{ transform: undefined }, { transform: redact }] }] },
    })
  })

  it.each([
    ['nowhere.mjs', 'is not there, or needs a module that is not; give the path of a module'],
    ['broken.mjs', 'cannot be used: Unexpected token'],
    ['object.cjs', 'cannot be used: it has no function as its default export'],
  ])('is a problem where there is no function: %s', (transform, problem) => {
    const all = { mappedStreams, transform, region: 7 }
    const { problems } = read(all) as { problems: string[] }
    expect(problems[0]).toBe(`sources[0].destination.transform: "${transform}" ${problem}`)
    expect(problems[1]).toMatch(/^sources\[0\]\.destination\.region: /)
    expect(problems).toHaveLength(2)
  })

  it('is no pipe, which would be waited for before any signal is handled', () => {
    const transform = join(tempDir(), 'pipe.cjs')
    execFileSync('mkfifo', [transform])
    const source = { id: 'src_web', writeKey: 'k', destination: { mappedStreams, transform } }
    expect(parseConfigFile(JSON.stringify({ sources: [source] }), { env: {} })).toEqual({
      problems: [`sources[0].destination.transform: "${transform}" cannot be used: it is no file`],
    })
  })

  it('is left alone where the rest has no form', () => {
    for (const text of ['sources: 5', 'sources: [5]', '5', 'sources: [{ destination: [x] }]'])
      expect(parseConfigFile(text, { env: {}, loadModule: load })).toHaveProperty('problems')
  })
})

import { describe, expect, it } from '@jest/globals'
import { interpolate } from '../../../server/config/environment.js'

const env = { KEY: 'k1', EMPTY: '', YAML: 'x: [1]\n- y', NESTED: '${KEY}' }

describe('interpolate', () => {
  it.each([
    ['${KEY}', 'k1'],
    ['a ${KEY} b ${KEY}', 'a k1 b k1'],
    ['${EMPTY}', ''],
    ['${EMPTY:-d}', 'd'],
    ['${UNSET:-d}', 'd'],
    ['${UNSET:-}', ''],
    ['${UNSET:-a:-b}', 'a:-b'],
    ['${KEY:-d}', 'k1'],
    ['$${KEY}', '${KEY}'],
    ['$KEY $ {KEY}', '$KEY $ {KEY}'],
    ['${YAML}', 'x: [1]\n- y'],
    ['${NESTED}', '${KEY}'],
  ])('makes of %s: %j', (given, value) => {
    expect(interpolate(given, env)).toEqual({ value, unset: [] })
  })

  it('goes through lists and objects, but not their keys, and leaves the rest', () => {
    const given = { '${KEY}': ['${KEY}', 1, null, true, { a: '${KEY}' }] }
    expect(interpolate(given, env).value).toEqual({ '${KEY}': ['k1', 1, null, true, { a: 'k1' }] })
    expect(given['${KEY}'][0]).toBe('${KEY}')
  })

  it('names every variable that is not set, and where', () => {
    expect(interpolate({ sources: [{ writeKey: '${A}' }, { writeKey: ['${B}'] }] }, env).unset).toEqual([
      {
        path: ['sources', 0, 'writeKey'],
        problem: 'sources[0].writeKey: the environment variable A is not set; set it, or write ${A:-default}',
      },
      {
        path: ['sources', 1, 'writeKey', 0],
        problem:
          'sources[1].writeKey[0]: the environment variable B is not set; set it, or write ${B:-default}',
      },
    ])
  })

  it.each(['${}', '${a b}', '${1A}', '${A-b}'])('says that %s names none', (given) => {
    expect(interpolate({ x: given }, env).unset).toEqual([
      { path: ['x'], problem: `x: ${given} names no variable; write \${NAME} or \${NAME:-default}` },
    ])
  })

  it('does not take what every object has for a variable', () => {
    expect(interpolate('${constructor:-d}', Object.freeze({ ...env })).value).toBe('d')
  })
})

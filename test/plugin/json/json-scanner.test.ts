import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { JsonScanner } from '../../../plugin/json/json-scanner.js'
import { JsonSyntaxError, MAX_DEPTH } from '../../../plugin/json/json-syntax-error.js'
import { NOTE } from '../../../plugin/json/json-tokens.js'
import { jsonText, mutated } from './json-texts.js'

const scanner = new JsonScanner()

function check(text: string | Buffer): 'valid' | JsonSyntaxError {
  try {
    scanner.check(Buffer.from(text as string))
    return 'valid'
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error
    throw error
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function notesOf(text: string): number {
  scanner.check(Buffer.from(text))
  return scanner.notes
}

describe('JsonScanner', () => {
  it('accepts what JSON.parse accepts, and nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(jsonText, mutated), (text) => {
        expect([text, check(text) === 'valid']).toEqual([text, isJson(text)])
      }),
      { numRuns: 20_000 },
    )
  })

  it.each([
    ...[
      '',
      ' ',
      '{',
      '}',
      '[',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,',
      '{"a":1,}',
      '[1,',
      '[1,]',
      '[,1]',
      '{,}',
    ],
    ...['01', '-', '-01', '1.', '.5', '+1', '1e', '1e+', '0x1', 'NaN', 'Infinity', '-Infinity', '1_000'],
    ...[
      'tru',
      'truE',
      'nul',
      'undefined',
      'True',
      '"',
      '"\\',
      '"\\"',
      '"\\x"',
      '"\\u00g0"',
      '"\\u12"',
      '"\t"',
    ],
    ...[
      '"\n"',
      "'a'",
      '{a:1}',
      '{"a" 1}',
      '{"a"::1}',
      '[1 2]',
      '1 1',
      '{}{}',
      '[]]',
      '\ufeff{}',
      '// c\n1',
      '\u00a01',
    ],
    ...['{"a":1}\0', '\0', '"\u0000"', '{"a":1,"a"}', '{1:2}', '[1}', '{"a":1]'],
  ])('refuses %j', (text) => {
    expect(isJson(text)).toBe(false)
    expect(check(text)).toBeInstanceOf(JsonSyntaxError)
  })

  it('names the first byte that cannot be part of JSON', () => {
    const at = (text: string) => (check(text) as JsonSyntaxError).position
    expect(at('{"a":NaN}')).toBe(5)
    expect(at('{"é":1,,"b":2}')).toBe(8)
    expect(at('[1,2')).toBe(4)
    expect(at('{"a":"\n"}')).toBe(6)
    expect(at('{} x')).toBe(3)
  })

  it('takes JSON as deep as the limit, and refuses what is deeper without overflowing the stack', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    expect(check(nested(MAX_DEPTH))).toBe('valid')
    expect(check(objects(MAX_DEPTH))).toBe('valid')
    expect(check(nested(MAX_DEPTH + 1))).toMatchObject({ isTooDeep: true })
    expect(check(objects(2_000_000))).toMatchObject({ isTooDeep: true })
    expect(check('['.repeat(5_000_000))).toMatchObject({ isTooDeep: true })
  })

  it.each([
    ['nothing', '{"a":{"a":1},"b":[{"a":1},{"a":2}],"c":"\\n"}', 0],
    ['line breaks between tokens', '{"a":\n1}', NOTE.LINE_BREAK],
    ['line breaks at the end', '{"a":1}\r', NOTE.LINE_BREAK],
    ['escaped keys', '{"a":[{"\\u0061":1}]}', NOTE.ESCAPED_KEY],
    ['repeated keys', '{"a":1,"b":2,"a":3}', NOTE.REPEATED_KEY],
    ['repeated keys of an inner object', '{"x":[{"a":1,"a":3}]}', NOTE.REPEATED_KEY],
    ['repeated empty keys', '{"":1,"":3}', NOTE.REPEATED_KEY],
  ])('notes %s', (_what, text, notes) => {
    expect(notesOf(text)).toBe(notes)
  })

  it('notes repeated keys of objects with many members', () => {
    const members = (count: number) => Array.from({ length: count }, (_, i) => `"key ${i}":${i}`)
    for (const count of [31, 32, 33, 64, 5_000]) {
      const all = members(count)
      expect(notesOf(`{${all.join(',')}}`)).toBe(0)
      expect(notesOf(`{${[...all, all[count - 2]].join(',')}}`)).toBe(NOTE.REPEATED_KEY)
      expect(notesOf(`{${[...all, all[0]].join(',')}}`)).toBe(NOTE.REPEATED_KEY)
    }
  })

  it('forgets a text before it scans the next', () => {
    expect(check('{"a":{"b":1,"b":')).toBeInstanceOf(JsonSyntaxError)
    expect(notesOf('{"b":1}')).toBe(0)
  })

  it('can look at a part of the bytes', () => {
    scanner.check(Buffer.from('xx{"a":1}yy'), 2, 9)
    expect(() => scanner.check(Buffer.from('{"a":1}'), 0, 6)).toThrow(JsonSyntaxError)
    expect(() => scanner.check(Buffer.from('"\\u0061"'), 0, 5)).toThrow(JsonSyntaxError)
  })
})

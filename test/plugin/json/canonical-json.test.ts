import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson } from '../../../plugin/json/canonical-json.js'
import { JsonScanner } from '../../../plugin/json/json-scanner.js'
import { NOTE } from '../../../plugin/json/json-tokens.js'
import { finish } from '../../../plugin/slices.js'
import { jsonText } from './json-texts.js'

const scanner = new JsonScanner()

function canonical(text: string): string {
  const bytes = Buffer.from(text)
  scanner.check(bytes)
  return finish(canonicalJson(bytes, scanner.notes | NOTE.LINE_BREAK)).toString()
}

describe('canonicalJson', () => {
  it.each([
    ['white space', ' { "a" : [ 1 ,\n2 ] ,\t"b c" : " x " }\r\n', '{"a":[1,2],"b c":" x "}'],
    ['a key that comes twice', '{"a":1,"b":2,"a":3}', '{"b":2,"a":3}'],
    ['a key that comes three times', '{"a":1,"a":2,"a":3}', '{"a":3}'],
    [
      'a repeated key in a repeated member',
      '{"a":{"x":1,"x":2},"b":0,"a":{"x":3,"x":4}}',
      '{"b":0,"a":{"x":4}}',
    ],
    ['a repeated key at depth', '{"p":[{"price":1,"q":[],"price":2}]}', '{"p":[{"q":[],"price":2}]}'],
    ['escaped forms of one key', '{"\\u0061":1,"a":2,"\\u0062":3}', '{"a":2,"b":3}'],
    [
      'keys that need their escapes',
      '{"\\"":1,"\\u0022":2,"\\\\":3,"\\u000a":4}',
      '{"\\"":2,"\\\\":3,"\\n":4}',
    ],
    ['lone surrogates in keys', '{"\\uD800":1,"\\ud800":2,"\\ud801":3}', '{"\\ud800":2,"\\ud801":3}'],
    ['strings like keys in arrays', '["a","a",{"a":["a","a"]}]', '["a","a",{"a":["a","a"]}]'],
    ['numbers as they came', '[9007199254740993,1.0E2,-0.0,1e999]', '[9007199254740993,1.0E2,-0.0,1e999]'],
    ['escapes in values as they came', '{"a":"\\u0061\\/"}', '{"a":"\\u0061\\/"}'],
    ['__proto__', '{"__proto__":1,"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
    ['empty things', ' { "a" : { } , "b" : [ ] } ', '{"a":{},"b":[]}'],
  ])('writes %s', (_what, text, expected) => {
    expect(canonical(text)).toBe(expected)
  })

  it('keeps the last of each key in objects with many members', () => {
    const members = Array.from({ length: 2_000 }, (_, i) => `"k${i % 700}":${i}`)
    expect(JSON.parse(canonical(`{${members.join(',')}}`))).toEqual(JSON.parse(`{${members.join(',')}}`))
  })

  it('means what JSON.parse reads, is one line, and repeats no key', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const written = canonical(text)
        expect(JSON.parse(written)).toEqual(JSON.parse(text))
        expect(finish(canonicalJson(Buffer.from(written), NOTE.REPEATED_KEY)).toString()).toBe(written)
        scanner.check(Buffer.from(written))
        expect(scanner.notes & NOTE.LINE_BREAK).toBe(0)
      }),
      { numRuns: 10_000 },
    )
  })
})

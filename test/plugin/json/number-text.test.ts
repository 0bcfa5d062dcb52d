import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson } from '../../../plugin/json/canonical-json.js'
import { NOTE } from '../../../plugin/json/json-tokens.js'
import { oddNumbersIn, stringifyWithNumbers } from '../../../plugin/json/number-text.js'
import { NumberWalk } from '../../../plugin/json/number-walk.js'
import { finish } from '../../../plugin/slices.js'
import { jsonText } from './json-texts.js'

type Change = (value: { [key: string]: unknown }) => object | undefined

/** What is written of the JSON after a change by a function. */
function written(text: string, change: Change = (value) => value): string | undefined {
  const odd = oddNumbersIn(Buffer.from(text))
  return stringifyWithNumbers(change(JSON.parse(text)) as object, odd)
}

describe('numbers that a function left alone', () => {
  it.each([
    '{"a":9007199254740993,"b":[1.0,-0.0,{"c":1e999}],"d":1.2345678E7}',
    '{"a":[[1.0],[2.0,null]],"b":null,"c":"1.0","1.0":1.0}',
    '{"\\u0061\\"":1.50,"":{"":0.10}}'.replace('\\u0061', 'a'),
    '[1.0,[],{},2.0]',
  ])('are written with the digits that came: %s', (text) => {
    expect(written(text)).toBe(text)
  })

  it('are written so beside those that it changed, added and removed', () => {
    const text = '{"a":9007199254740993,"b":1.0,"c":2.0,"d":{"e":1e999,"f":-0}}'
    const change: Change = ({ a, c, d }) => ({ x: 1, d: { ...(d as object), f: 5 }, c: Number(c) + 1, a })
    expect(written(text, change)).toBe('{"x":1,"d":{"e":1e999,"f":5},"c":3,"a":9007199254740993}')
  })

  it('are told from a null that it put in their place', () => {
    expect(written('{"a":1e999,"b":1e999}', (it) => ({ ...it, a: null }))).toBe('{"a":null,"b":1e999}')
  })

  it('are not mixed up where it takes elements out of an array', () => {
    const text = '{"a":[9007199254740993,9007199254740992]}'
    expect(written(text, ({ a }) => ({ a: (a as number[]).slice(1) }))).toBe('{"a":[9007199254740992]}')
  })

  it('are not written where a toJSON writes something else', () => {
    const change: Change = ({ a }) => ({ a: { b: (a as { b: number }).b, toJSON: () => ({ b: 'x' }) } })
    expect(written('{"a":{"b":1.0}}', change)).toBe('{"a":{"b":"x"}}')
  })

  it('takes nothing from a prototype', () => {
    const text = '{"__proto__":{"a":1.0},"b":2.0}'
    expect(written(text)).toBe(text)
    expect(written('{"toString":1.0}', () => ({}))).toBe('{}')
  })

  it('keeps every digit of any JSON that is not changed', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const json = finish(canonicalJson(Buffer.from(text), NOTE.REPEATED_KEY | NOTE.LINE_BREAK)).toString()
        const numbers = (from: string) =>
          (from.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g) ?? []).filter((it) => !it.startsWith('"')).sort()
        if (!/^[{[]/.test(json)) return
        expect(numbers(written(json) ?? '')).toEqual(numbers(json))
      }),
      { numRuns: 5_000 },
    )
  })

  it('takes a bounded number of them', () => {
    const text = `[${'1.0,'.repeat(60_000)}1.0]`
    expect(oddNumbersIn(Buffer.from(text))?.own.size).toBe(50_000 - 1)
  })

  it('counts the objects and arrays around them', () => {
    const chain = `${'['.repeat(500)}1.0${']'.repeat(500)}`
    const { inner } = oddNumbersIn(Buffer.from(`[${Array(1_000).fill(chain).join(',')}]`)) ?? {}
    expect(inner?.size).toBeLessThanOrEqual(50_000 / 500)
  })

  it('reads no key again for each number below it', () => {
    const read = jest.spyOn(NumberWalk.prototype, 'step')
    const deep = `${'{"a":'.repeat(900)}[${Array(10_000).fill('1.0').join(',')}]${'}'.repeat(900)}`
    expect(written(deep)).toBe(deep)
    expect(read.mock.calls.length).toBeLessThan(2 * (10_000 + 900 + 1))
    read.mockRestore()
  })
})

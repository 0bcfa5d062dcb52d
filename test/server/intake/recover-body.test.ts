import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { JsonScanner } from '../../../plugin/json/json-scanner.js'
import { finish } from '../../../plugin/slices.js'
import { type RecoveredBody, recoverBody } from '../../../server/intake/recover-body.js'

const event = (id: string) => `{"type":"track","event":"E","userId":"u","messageId":"${id}"}`

function recoveredOf(bytes: Buffer, takesBatch: boolean): RecoveredBody {
  return finish(recoverBody(bytes, takesBatch)) ?? { documents: [], broken: [] }
}

function recover(text: string, takesBatch = true) {
  const bytes = Buffer.from(text)
  const { documents, broken } = recoveredOf(bytes, takesBatch)
  return {
    documents: documents.map(String),
    broken: broken.map(({ start, end }) => bytes.subarray(start, end).toString()),
    positions: broken.map(({ position }) => position),
  }
}

/** The events in what was recovered of a batch. */
function idsIn(documents: readonly string[]): string[] {
  return documents.flatMap((text) => {
    const body = JSON.parse(text)
    const events: { messageId: string }[] = Array.isArray(body) ? body : (body.batch ?? [body])
    return events.map(({ messageId }) => messageId)
  })
}

const [a, b, c] = ['a', 'b', 'c'].map(event) as [string, string, string]
const bad = '{"type":"track","event":"E","userId":"u","properties":{"x":NaN}}'

describe('a broken batch', () => {
  it.each<[string, string, string[], string[]]>([
    ['NaN', `{"batch":[${a},${bad},${b}]}`, ['a', 'b'], [bad]],
    ['two bad events in a row', `{"batch":[${a},${bad},${bad},${b}]}`, ['a', 'b'], [`${bad},${bad}`]],
    ['bad events apart', `{"batch":[${bad},${a},${bad},${b}]}`, ['a', 'b'], [bad, bad]],
    ['a doubled comma', `{"batch":[${a},,${b}]}`, ['a', 'b'], []],
    ['a comma at the end', `{"batch":[${a},${b},]}`, ['a', 'b'], []],
    ['a comma at the end of the body', `{"batch":[${a}],}`, ['a'], []],
    ['no comma between events', `{"batch":[${a}${b}]}`, ['a', 'b'], []],
    ['NULs after it', `{"batch":[${a}]}\0\0\0`, ['a'], []],
    ['NULs between', `{"batch":[${a},\0${b}]}`, ['a', 'b'], []],
    ['a control character in a string', `{"batch":[{"event":"\u0001"},${a}]}`, ['a'], ['{"event":"\u0001"}']],
    ['a line break in a string', `{"batch":[{"event":"x\ny"},${a}]}`, ['a'], ['{"event":"x\ny"}']],
    ['a bad escape', `{"batch":[{"event":"\\x"},${a}]}`, ['a'], ['{"event":"\\x"}']],
    ['a number with a leading zero', `{"batch":[{"a":01},${a}]}`, ['a'], ['{"a":01}']],
    ['single quotes', `{"batch":[{'a':'b'},${a}]}`, ['a'], [`{'a':'b'}`]],
    ['undefined', `{"batch":[undefined,${a},{"x":undefined}]}`, ['a'], ['undefined', '{"x":undefined}']],
    ['a comment', `{"batch":[${a}, /* x */ ${b}]}`, ['a', 'b'], ['/* x */ ']],
    [
      'an unclosed event',
      `{"batch":[${a},{"type":"track","properties":{"x":1},${b},${c}]}`,
      ['a', 'b', 'c'],
      ['{"type":"track","properties":{"x":1},'],
    ],
    [
      'a missing quote',
      `{"batch":[${a},{"type":"track,"event":"E"},${b},${c}]}`,
      ['a', 'b', 'c'],
      ['{"type":"track,"event":"E"},'],
    ],
    ['the wrong bracket', `{"batch":[${a},{"p":[1}},${b}]}`, ['a', 'b'], ['{"p":[1}},']],
    ['an end cut off', `{"batch":[${a},${b},${c.slice(0, -5)}`, ['a', 'b'], [c.slice(0, -5)]],
    ['an end cut off between events', `{"batch":[${a},${b},`, ['a', 'b'], []],
    ['a bad member before it', `{"sentAt":NaN,"batch":[${a}]}`, ['a'], ['"sentAt":NaN']],
    ['a bad member after it', `{"batch":[${a}],"sentAt":2026-01-01}`, ['a'], ['"sentAt":2026-01-01']],
    ['a missing bracket at the end', `{"batch":[${a},${b}}`, ['a', 'b'], []],
    ['an envelope after it', `{"batch":[${a}]}{"batch":[${b}]}`, ['a', 'b'], []],
    ['a broken envelope after it', `{"batch":[${a}]}{"batch":[${bad},${b}]}`, ['a', 'b'], [bad]],
    ['text before it', `data=1&x={"batch":[${a}]}`, ['a'], ['data=1&x=']],
    ['text after it', `{"batch":[${a}]}</html>`, ['a'], ['</html>']],
    ['a number among its events', `{"batch":[${a},7,{"x":NaN}]}`, ['a'], ['7,{"x":NaN}']],
    ['only bad events', `{"batch":[${bad}]}`, [], [bad]],
    ['an array of events', `[${a},${bad},${b}]`, ['a', 'b'], [bad]],
    ['events without a batch', `${a}\n${b}\n${bad}\n${c}`, ['a', 'b', 'c'], [bad]],
    ['nothing that is JSON', 'hello', [], ['hello']],
  ])('gives its whole events and what is broken: %s', (_what, text, ids, broken) => {
    const found = recover(text)
    expect([idsIn(found.documents), found.broken]).toEqual([ids, broken])
  })

  it('takes what the batch says for all its events', () => {
    const found = recover(`{"writeKey":"k","context":{"a":1},"x":NaN,"batch":[${a},{"b":NaN}],"sentAt":"t"}`)
    expect(found.documents).toEqual([`{"writeKey":"k","context":{"a":1},"sentAt":"t","batch":[${a}]}`])
  })

  it('names the first byte that cannot be read of each piece', () => {
    const text = `{"batch":[${bad},${a},{"x":,}]}`
    expect(recover(text).positions).toEqual([text.indexOf('NaN'), text.indexOf(',}')])
  })

  it('takes no object within a broken event for an event', () => {
    const hidden = `{"x":NaN,"events":[${a},${b}]}`
    expect(recover(`{"batch":[${hidden},${c}]}`)).toMatchObject({ broken: [hidden] })
  })

  it('takes a nested `batch` for what it is', () => {
    expect(recover(`{"x":{"batch":[${a}]},"batch":[${b},{"y":NaN}]}`).documents).toHaveLength(1)
  })
})

describe('a broken body for one event', () => {
  it.each<[string, string, string[], string[]]>([
    ['a stray byte after it', `${a}x`, ['a'], ['x']],
    ['another event after it', `${a}${b}`, ['a', 'b'], []],
    ['NaN', bad, [], [bad]],
    ['an end cut off', a.slice(0, -3), [], [a.slice(0, -3)]],
    ['a batch', `{"batch":[${a}],"x":NaN}`, [], [`{"batch":[${a}],"x":NaN}`]],
  ])('gives the event only if it is whole: %s', (_what, text, ids, broken) => {
    const found = recover(text, false)
    expect([idsIn(found.documents), found.broken]).toEqual([ids, broken])
  })
})

describe('recovery of any bytes', () => {
  it('gives valid JSON, loses no byte that is not a separator, and finds every event before the break', () => {
    const scanner = new JsonScanner()
    const stroke = fc.constantFrom(',', '"', '}', ']', '{', '[', '\\', 'NaN', '\0', ':', '')
    fc.assert(
      fc.property(fc.nat(), stroke, fc.nat({ max: 3 }), fc.boolean(), (at, text, removed, takesBatch) => {
        const whole = `{"writeKey":"k","batch":[${a},${b},${c}],"sentAt":"t"}`
        const index = at % whole.length
        const given = whole.slice(0, index) + text + whole.slice(index + removed)
        const bytes = Buffer.from(given)
        const { documents, broken } = recoveredOf(bytes, takesBatch)
        for (const document of documents) scanner.check(document)
        for (const { start, end } of broken) expect(start).toBeLessThan(end)
        if (!takesBatch) return
        const before = [a, b, c].filter((it) => index > whole.indexOf(it) + it.length)
        expect(documents.length > 0 || before.length === 0).toBe(true)
        for (const it of before) expect(idsIn(documents.map(String))).toContain(JSON.parse(it).messageId)
      }),
      { numRuns: 5_000 },
    )
  })

  it.each([
    ['broken objects', '{x},'],
    ['open objects', '{x'],
    ['open brackets', '['],
    ['quotes', '"'],
    ['objects in objects', '{"a":'],
    ['objects that are no events', '{"a":1}{'],
    ['good and bad in turn', `${a},{x},`],
    ['commas', ','],
    ['backslashes', '"\\'],
  ])('takes time in proportion to their number: %s', (_what, piece) => {
    const text = `{"batch":[${piece.repeat(Math.ceil(400_000 / piece.length))}`
    const scanned = { bytes: 0 }
    const original = JsonScanner.prototype.endOfValue
    JsonScanner.prototype.endOfValue = function* (bytes, start) {
      try {
        const end = yield* original.call(this, bytes, start)
        scanned.bytes += end - start
        return end
      } catch (error) {
        scanned.bytes += (error as { position: number }).position - start
        throw error
      }
    }
    try {
      const { broken, documents } = recoveredOf(Buffer.from(text), true)
      expect(broken.length).toBeLessThanOrEqual(501)
      expect(documents.length).toBeLessThanOrEqual(text.length)
    } finally {
      JsonScanner.prototype.endOfValue = original
    }
    expect(scanned.bytes).toBeLessThan(8 * text.length)
  })
})

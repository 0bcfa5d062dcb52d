import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { stringLiteral } from '../../../server/web/script-text.js'

describe('stringLiteral', () => {
  it('is the text again when it runs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(runInNewContext(stringLiteral(text))).toBe(text)
      }),
    )
  })

  it('can end neither its string, nor its script, nor its line', () => {
    const hostile = `"'\\</script><!--\u2028\u2029\n\r\0&quot;`
    expect(stringLiteral(hostile)).toMatch(/^"(?:[\w\\/!;-]|\\")*"$/)
    expect(stringLiteral('"')).toBe('"\\""')
    expect(stringLiteral('</script>')).toBe('"\\u003c/script\\u003e"')
  })
})

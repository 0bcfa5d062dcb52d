import fc from 'fast-check'

const space = fc.constantFrom('', '', '', ' ', '\t', '\n', ' \r\n ')

const unit = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }).map((text) => JSON.stringify(text).slice(1, -1)),
  fc.constantFrom(
    ...[
      '\\u0061',
      '\\"',
      '\\\\',
      '\\/',
      '\\n',
      '\\ud83d\\ude00',
      '\\ud800',
      '\u2028',
      'é',
      '{',
      '}',
      '[',
      ',',
    ],
  ),
)

/** A string of JSON, quotes included. */
const stringText = fc.array(unit, { maxLength: 4 }).map((units) => `"${units.join('')}"`)

/** Numbers as senders of all kinds write them. */
const numberText = fc.oneof(
  fc.constantFrom(
    ...[
      '0',
      '-0',
      '-0.0',
      '1e400',
      '-1e999',
      '-1E+5',
      '1.50',
      '12345678901234567890',
      '2e-7',
      '1.2345678E7',
      '-1',
    ],
    ...['9007199254740993', '1541815603606036480', '0.1000000000000000055', '1e-400', '100', '1.0'],
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((it) => JSON.stringify(it)),
  fc.integer().map(String),
)

/** JSON of every kind: its own white space, escapes, numbers, and keys that come twice, also with escapes. */
export function jsonTexts(knownKeys: readonly string[]): fc.Arbitrary<string> {
  const { value } = fc.letrec<{ value: string; object: string; array: string }>((tie) => {
    const key = fc.oneof(
      fc.constantFrom(...knownKeys).map((name) => `"${name}"`),
      fc.constantFrom('"a"', '"\\u0061"', '"b"', '""', '"__proto__"', '"é"', '"\\u00e9"'),
      stringText,
    )
    const joined = (parts: readonly string[], [a, b]: readonly string[]) => parts.join(`${a},${b}`)
    const spaces = fc.tuple(space, space)
    const member = fc.tuple(key, space, space, tie('value')).map(([k, a, b, v]) => `${k}${a}:${b}${v}`)
    return {
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(
          fc.constantFrom('true', 'false', 'null', '"2025-12-31T00:00:00.000Z"'),
          numberText,
          stringText,
        ),
        tie('object'),
        tie('array'),
      ),
      object: fc
        .tuple(fc.array(member, { maxLength: 5 }), spaces)
        .map(([members, around]) => `{${around[0]}${joined(members, around)}${around[1]}}`),
      array: fc
        .tuple(fc.array(tie('value'), { maxLength: 4 }), spaces)
        .map(([values, around]) => `[${around[0]}${joined(values, around)}${around[1]}]`),
    }
  })
  return value
}

export const jsonText = jsonTexts(['type', 'context', 'writeKey'])

/** Text that is JSON but for one stroke, as a rule. */
export const mutated = fc
  .tuple(
    jsonText,
    fc.nat(),
    fc.constantFrom('', ',', '"', '}', ']', '{', '\\', 'NaN', '0', '-', ' ', '\0', '\t', 'e', '.'),
  )
  .map(([text, at, stroke]) => {
    const index = at % (text.length + 1)
    return text.slice(0, index) + stroke + text.slice(index + (at % 2))
  })

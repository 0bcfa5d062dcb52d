import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ERROR_CODES, FirehoseError } from '../../plugin/errors.js'
import { ROOT, readSources } from '../repository/sources.js'

const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
const [intro = '', ...sections] = page.split(/^## /m)

function sectionOf(code: string): string {
  return sections.find((section) => section.startsWith(`${code}\n`)) ?? ''
}

describe('docs/errors.md', () => {
  it('has a heading for each code, and none for any other', () => {
    const headings = sections.map((section) => section.split('\n', 1)[0])
    expect([...headings].sort()).toEqual([...ERROR_CODES].sort())
  })

  it.each(ERROR_CODES)('tells of %s when it comes, what it means for the event, and the fix', (code) => {
    for (const part of ['**When.**', '**The event.**', '**Fix.**']) expect(sectionOf(code)).toContain(part)
  })

  it.each(ERROR_CODES)(
    'tells in its table, as the error does, whether sending it again helps after %s',
    (code) => {
      const row = intro
        .split('\n')
        .find((line) => line.startsWith(`| [\`${code}\`](#${code.toLowerCase()}) |`))
      expect(row).toBeDefined()
      expect(/\| no \| 200, dead letter \|$/.test(row ?? '')).toBe(new FirehoseError(code, '').permanent)
    },
  )

  it('tells of each code that stands in dead letters alone', () => {
    const [declaration] = readSources('plugin').flatMap(
      ({ text }) => text.match(/type DeadLetterCode = .*/) ?? [],
    )
    const own = [...(declaration ?? '').matchAll(/'(ERR_\w+)'/g)].map((match) => match[1])
    expect(own).toHaveLength(3)
    for (const code of own) expect(page).toContain(`| \`${code}\` |`)
  })

  it('tells of each code of the answers over HTTP, and of no other', () => {
    const made = readSources('server').flatMap(({ text }) =>
      [...text.matchAll(/(?:HttpProblem\(\s*\d+,|unavailable\(|badRequest\()\s*'([a-z_]+)'/g)].map(
        (it) => it[1],
      ),
    )
    const told = [...page.matchAll(/^\| [45]\d\d \| `([a-z_]+)` \|/gm)].map((it) => it[1])
    expect(told).toEqual([...new Set(told)])
    expect([...told].sort()).toEqual([...new Set(made)].sort())
  })

  it('links only to headings that are there', () => {
    const anchors = [...page.matchAll(/\]\(#(?<anchor>[^)]+)\)/g)].map((match) => match.groups?.['anchor'])
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
      text.toLowerCase().replaceAll(' ', '-'),
    )
    for (const anchor of anchors) expect(headings).toContain(anchor)
  })
})

describe('the sources', () => {
  const texts = readSources('plugin', 'server').map(({ text }) => text)
  const thrown = new Set(
    texts.flatMap((text) =>
      [...text.matchAll(/new FirehoseError\(\s*'(?<code>\w+)'/g)].map((match) => match.groups?.['code']),
    ),
  )

  it.each(ERROR_CODES)('make %s somewhere', (code) => {
    expect(thrown).toContain(code)
  })
})

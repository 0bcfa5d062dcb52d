interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  /** Values by labels, such as `{source="Website"}`, their text unescaped. */
  readonly series: Map<string, number>
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`, 's')
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`)
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.+)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`, 's')
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\n"])*)"(?:,(?=.)|$)/s

/**
 * Reads Prometheus's text format, as narrowly as its page has it: each family once, with its help and its type before
 * its samples, each series once, the last line ended.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
 */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line is not ended')
  const families = new Map<string, Family>()
  let current: Family | undefined
  let help: { readonly name: string; readonly text: string } | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const [, helpName = '', helpText = ''] = HELP.exec(line) ?? []
    const [, typeName = '', type = ''] = TYPE.exec(line) ?? []
    if (helpName !== '') {
      help = { name: helpName, text: helpText }
    } else if (typeName !== '') {
      if (help?.name !== typeName) throw new Error(`No help before: ${line}`)
      if (families.has(typeName)) throw new Error(`A second time: ${line}`)
      if (type === 'counter' && !typeName.endsWith('_total')) throw new Error(`Not named a counter: ${line}`)
      current = { name: typeName, type, help: help.text, series: new Map() }
      families.set(typeName, current)
    } else {
      takeSample(line, current)
    }
  }
  return families
}

function takeSample(line: string, family: Family | undefined): void {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
  if (family === undefined || name !== family.name) throw new Error(`Not a sample of its family: ${line}`)
  const series = labels === '' ? '' : `{${parseLabels(labels).join(',')}}`
  if (family.series.has(series)) throw new Error(`A second time: ${line}`)
  family.series.set(series, Number(value))
}

function parseLabels(text: string): string[] {
  const labels: string[] = []
  const names = new Set<string>()
  for (let rest = text; rest !== ''; ) {
    const [whole, name = '', value = ''] = LABEL.exec(rest) ?? []
    if (whole === undefined || names.has(name)) throw new Error(`Wrong labels: ${text}`)
    names.add(name)
    labels.push(`${name}="${value.replace(/\\(.)/g, (_, it) => (it === 'n' ? '\n' : it))}"`)
    rest = rest.slice(whole.length)
  }
  return labels
}

/** The value of one series, such as `queued_records{source="Website",stream="everything"}`. */
export function seriesValue(text: string, series: string): number | undefined {
  const [, name = '', labels = ''] = /^(\w+)(.*)$/s.exec(series) ?? []
  return parseExposition(text).get(`analytics_firehose_${name}`)?.series.get(labels)
}

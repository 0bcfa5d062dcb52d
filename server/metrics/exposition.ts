import type { Sample } from './metric.js'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const PREFIX = 'analytics_firehose_'

/**
 * Samples in Prometheus's text format, by name, as all of one name must stand together.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function exposition(samples: readonly Sample[]): string {
  const families = new Map<string, Sample[]>()
  for (const sample of samples) {
    const family = families.get(sample.metric.name)
    if (family === undefined) families.set(sample.metric.name, [sample])
    else family.push(sample)
  }
  return [...families.keys()]
    .sort()
    .map((name) => familyText(families.get(name) ?? []))
    .join('')
}

function familyText(samples: readonly Sample[]): string {
  const [first] = samples
  if (first === undefined) return ''
  const { name, type, help } = first.metric
  const head = [`# HELP ${PREFIX}${name} ${escapedHelp(help)}`, `# TYPE ${PREFIX}${name} ${type}`]
  return `${[...head, ...samples.map(sampleText)].join('\n')}\n`
}

function sampleText({ metric, labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapedLabel(text)}"`)
  return `${PREFIX}${metric.name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`
}

function escapedHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

/** SECURITY: names of sources are anything; without this one could write series of its own. */
function escapedLabel(text: string): string {
  return escapedHelp(text).replaceAll('"', '\\"')
}

import { AwsError } from '../aws-error.js'
import type { Validation } from '../validation.js'

/** What a session carries besides its credentials. */
export interface SessionMarks {
  /** By their keys as they were given; AWS does not tell keys apart that differ only in case. */
  readonly tags: ReadonlyMap<string, string>
  /** Keys, in lower case, of tags that a session assumed with this one inherits. */
  readonly transitiveTagKeys: ReadonlySet<string>
  readonly sourceIdentity: string | undefined
}

export const NO_MARKS: SessionMarks = {
  tags: new Map(),
  transitiveTagKeys: new Set(),
  sourceIdentity: undefined,
}

const MAX_TAGS = 50
const TAG_PATTERN = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]'

/** The tags that a request asks for. */
export interface RequestedTags {
  readonly tags: readonly { readonly key: string | undefined; readonly value: string | undefined }[]
  readonly transitiveKeys: readonly string[]
}

/** Reads `Tags.member.1.Key` and so on, as the query protocol writes lists. */
export function readTags(parameters: URLSearchParams, validation: Validation): RequestedTags {
  const text = (name: string) => parameters.get(name) ?? undefined
  const tags = numbered(parameters, 'Tags').map((member) => ({
    key: text(`${member}.Key`),
    value: text(`${member}.Value`),
  }))
  const transitiveKeys = numbered(parameters, 'TransitiveTagKeys').map((member) => text(member) ?? '')
  validation.list('tags', tags.length, { max: MAX_TAGS })
  for (const [index, { key, value }] of tags.entries()) {
    const path = `tags.${index + 1}.member`
    validation
      .text(`${path}.key`, key, { required: true, min: 1, max: 128, pattern: `${TAG_PATTERN}+` })
      .text(`${path}.value`, value, { required: true, max: 256, pattern: `${TAG_PATTERN}*` })
  }
  validation.list('transitiveTagKeys', transitiveKeys.length, { max: MAX_TAGS })
  return { tags, transitiveKeys }
}

/**
 * The marks of a session that is assumed by another one.
 *
 * @throws AwsError InvalidParameterValue, in the words that AWS was recorded with
 */
export function sessionMarks(
  { tags, transitiveKeys }: RequestedTags,
  sourceIdentity: string | undefined,
  calling: SessionMarks,
): SessionMarks {
  const keys = tags.map(({ key = '' }) => key.toLowerCase())
  if (new Set(keys).size < keys.length) {
    throw invalid('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  }
  const transitive = transitiveKeys.map((key) => key.toLowerCase())
  if (transitive.some((key) => !keys.includes(key))) {
    throw invalid('The specified transitive tag key must be included in the requested tags.')
  }
  if (keys.some((key) => calling.transitiveTagKeys.has(key))) {
    throw invalid(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
  }
  const inherited = [...calling.tags].filter(([key]) => calling.transitiveTagKeys.has(key.toLowerCase()))
  const given = tags.map(({ key = '', value = '' }) => [key, value] as const)
  return {
    tags: new Map([...inherited, ...given]),
    transitiveTagKeys: new Set([...calling.transitiveTagKeys, ...transitive]),
    sourceIdentity: sourceIdentity ?? calling.sourceIdentity,
  }
}

/** `Tags.member.1`, `Tags.member.2` and so on, as far as the request has them. */
function numbered(parameters: URLSearchParams, list: string): string[] {
  const numbers = new Set<number>()
  for (const name of parameters.keys()) {
    const number = new RegExp(`^${list}\\.member\\.(\\d{1,4})(?:\\.|$)`).exec(name)?.[1]
    if (number !== undefined) numbers.add(Number(number))
  }
  return [...numbers].sort((a, b) => a - b).map((number) => `${list}.member.${number}`)
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValue', 400, message)
}

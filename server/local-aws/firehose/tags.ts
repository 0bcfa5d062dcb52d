import type { Input } from '../input.js'
import type { Validation } from '../validation.js'

const MAX_TAGS = 50

export interface Tags {
  readonly pairs: readonly (readonly [string, string])[]
  validate(validation: Validation, options: { required: boolean }): void
}

/** The `Tags` of a request. */
export function readTags(input: Input): Tags {
  const tags = input.structures('Tags')?.map((tag) => ({ key: tag.text('Key'), value: tag.text('Value') }))
  return {
    pairs: (tags ?? []).map(({ key, value }) => [key ?? '', value ?? ''] as const),
    validate(validation, { required }) {
      validation.list('tags', tags?.length, { required, min: 1, max: MAX_TAGS })
      for (const [index, { key, value }] of (tags ?? []).entries()) {
        const path = `tags.${index + 1}.member`
        validation
          .text(`${path}.key`, key, { required: true, ...TAG_KEY })
          .text(`${path}.value`, value, { max: 256, pattern: '[\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@%]*' })
      }
    },
  }
}

export const TAG_KEY = { min: 1, max: 128, pattern: '(?!aws:)[\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@%]*' }

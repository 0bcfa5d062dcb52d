import * as z from 'zod'
import { entriesOf } from './entries.js'
import { integer, matching } from './fields.js'
import type { AssumeRoleSettings } from './settings.js'

// Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_RequestParameters
//          https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_know

const MAX_TAGS = 50
const NAME = /^[\w+=,.@-]{2,64}$/
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u

const NAME_RULE = 'use 2 to 64 of a-z A-Z 0-9 _ + = , . @ -'
const IDENTITY_RULE = `${NAME_RULE}, and do not begin with "aws:"`
const KEY_RULE =
  'name a tag by 1 to 128 letters, digits, spaces or _ . : / = + - @, and do not begin with "aws:"'
const VALUE_RULE = 'use up to 256 letters, digits, spaces or _ . : / = + - @'
const TAGS_RULE = `give an object from tag to value, with ${MAX_TAGS} tags at most`
const TRANSITIVE_RULE = 'give a list of keys that stand in tags'

const tagKey = matching(TAG_KEY, KEY_RULE).refine((key) => !/^aws:/i.test(key), { error: KEY_RULE })

const tags = entriesOf(tagKey, matching(TAG_VALUE, VALUE_RULE), TAGS_RULE)
  .transform((entries): Readonly<Record<string, string>> => Object.fromEntries(entries))
  .refine((tags) => Object.keys(tags).length <= MAX_TAGS, { error: TAGS_RULE })
  .refine((tags) => areDistinct(Object.keys(tags)), {
    error: 'give each tag once: AWS does not tell Team from team',
  })

const shape = z
  .strictObject(
    {
      sessionName: matching(NAME, NAME_RULE),
      sourceIdentity: matching(NAME, IDENTITY_RULE),
      tags,
      transitiveTags: z.array(z.string({ error: TRANSITIVE_RULE }), { error: TRANSITIVE_RULE }),
      durationSeconds: integer(900, 43_200, 'seconds'),
    },
    { error: 'give { sessionName, sourceIdentity, tags, transitiveTags, durationSeconds }' },
  )
  .partial()

/** The names of the settings in it, to suggest the one that was meant. */
export const ASSUME_ROLE_NAMES: readonly string[] = Object.keys(shape.shape)

/** How a role is assumed. */
export const assumeRole = shape.superRefine(({ tags = {}, transitiveTags = [] }, context) => {
  for (const [index, key] of transitiveTags.entries()) {
    if (!Object.hasOwn(tags, key))
      context.addIssue({
        code: 'custom',
        path: ['transitiveTags', index],
        input: key,
        message: TRANSITIVE_RULE,
      })
  }
}) satisfies z.ZodType<AssumeRoleSettings>

function areDistinct(keys: readonly string[]): boolean {
  return new Set(keys.map((key) => key.toLowerCase())).size === keys.length
}

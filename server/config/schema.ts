import { z } from 'zod'
import { integer, logger } from '../../plugin/settings/fields.js'
import { SETTING_NAMES } from '../../plugin/settings/schema.js'
import { MAX_BODY_BYTES } from '../http/limits.js'

const WRITE_KEY = 'give the write key in quotes, or a list of them'

const writeKey = z.string({ error: WRITE_KEY }).min(1, { error: WRITE_KEY })

/** `destination` is checked by the plugin's own schema. */
const source = z.strictObject(
  {
    id: z.string({ error: "give Segment's source ID in quotes" }),
    name: text("give the source's name").optional(),
    writeKey: z.union([writeKey, z.array(writeKey).min(1)], { error: WRITE_KEY }),
    destination: z.looseObject(
      {},
      { error: "give the destination's settings, such as region and mappedStreams" },
    ),
  },
  { error: 'give a source of { id, writeKey, destination }' },
)

const listen = z.strictObject(
  {
    host: text('give a host name or address, such as 127.0.0.1').optional(),
    port: integer(0, 65_535).optional(),
  },
  { error: 'give { host, port }' },
)

const proxyFields = {
  sources: z
    .array(source, { error: 'give a list of sources' })
    .min(1, { error: 'give a source of { id, writeKey, destination }' }),
  // Less would refuse for ever a body of the size that is allowed.
  maxBufferedBytes: integer(MAX_BODY_BYTES, Number.MAX_SAFE_INTEGER).optional(),
  maxClients: integer(1, 100_000).optional(),
  deadLetters: text('give a directory').optional(),
  logger: logger().optional(),
}

export const proxySchema = z.strictObject(proxyFields)
export const serveSchema = z.strictObject({ listen: listen.optional(), ...proxyFields })

/** The names of the settings where `path` leads, to suggest the one that was meant. */
export function settingNames(path: readonly PropertyKey[], takesListen: boolean): readonly string[] {
  if (path.length === 0) return [...(takesListen ? ['listen'] : []), ...Object.keys(proxyFields)]
  if (path[0] === 'listen') return Object.keys(listen.shape)
  return path.length === 2 ? Object.keys(source.shape) : SETTING_NAMES
}

function text(error: string) {
  return z.string({ error }).min(1, { error })
}

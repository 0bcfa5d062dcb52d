import * as z from 'zod'

/**
 * An object read as its entries. Unlike `z.record`, which passes over `__proto__`, it takes every key: people
 * choose the names of events and streams.
 */
export function entriesOf<K extends z.ZodType, V extends z.ZodType>(key: K, value: V, error: string) {
  return z.custom<object>(isObject, { error }).transform((given, ctx): [z.output<K>, z.output<V>][] =>
    Object.entries(given).flatMap(([name, item]) => {
      const readKey = key.safeParse(name, { reportInput: true })
      const readValue = value.safeParse(item, { reportInput: true })
      if (readKey.success && readValue.success) return [[readKey.data, readValue.data]]
      for (const issue of [...(readKey.error?.issues ?? []), ...(readValue.error?.issues ?? [])]) {
        ctx.issues.push({ ...issue, path: [name, ...issue.path], input: issue.input } as z.core.$ZodRawIssue)
      }
      return []
    }),
  )
}

/** Maps, arrays and their like have no entries of this kind. */
function isObject(given: unknown): boolean {
  return Object.prototype.toString.call(given) === '[object Object]'
}

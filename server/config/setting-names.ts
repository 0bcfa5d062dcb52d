import * as z from 'zod'

/** The names of the settings where `path` leads in a schema, to suggest the one that was meant. */
export function settingNames(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  if (schema instanceof z.ZodOptional) return settingNames(schema.unwrap(), path)
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => settingNames(option, path))
  const [part, ...rest] = path
  if (schema instanceof z.ZodArray && part !== undefined) return settingNames(schema.element, rest)
  if (!(schema instanceof z.ZodObject)) return []
  return part === undefined ? Object.keys(schema.shape) : settingNames(schema.shape[String(part)], rest)
}

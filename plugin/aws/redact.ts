/**
 * The error, or a copy with the secret struck out of its message. SECURITY: AWS quotes values that it refuses,
 * and an external ID is as good as a password to the role.
 */
export function redact(thrown: unknown, secret: string | undefined): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (secret === undefined || !`${error.message}${error.stack}`.includes(secret)) return error
  const copy = new Error(error.message.replaceAll(secret, '(external ID)'))
  copy.name = error.name
  const { $metadata, $fault } = error as { $metadata?: unknown; $fault?: unknown }
  return Object.assign(copy, $metadata === undefined ? {} : { $metadata, $fault })
}

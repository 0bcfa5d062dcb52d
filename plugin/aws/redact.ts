import { FirehoseError } from '../errors.js'

/** What an error's class goes by, beside its name. */
interface Details {
  readonly code?: unknown
  readonly Code?: unknown
  readonly $fault?: unknown
  readonly $metadata?: unknown
}

/**
 * AWS quotes the headers that it was sent where a signature is wrong, and with them the session token. Nothing else that
 * it says is so long without a space.
 */
const SESSION_TOKEN = /(x-amz-security-token["']?\s*[:=]\s*["']?)[^\s"'&,;]+|[\w+/=%-]{200,}/gi

/** What the SDK adds to its parsers' errors; there is no such field in the copy. */
const RAW_RESPONSE_HINT = /\s*Deserialization error: to see the raw response.*$/s

/**
 * A copy of the error with what its class goes by, the secret struck out. SECURITY: AWS quotes values that it refuses,
 * and an external ID is as good as a password to the role. What else the SDK hangs on its errors stays behind: the
 * answer, and by its socket the request with the session token.
 */
export function redact(thrown: unknown, secret: string | undefined): Error {
  // Ours are made of errors that were redacted; the class of one goes by its cause.
  if (thrown instanceof FirehoseError) return thrown
  const strike = (text: string) => withoutSecrets(text, secret)
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code, Code, $fault, $metadata } = error as Details

  // Where each of several addresses refused the connection, the message is empty.
  const message = error.message.replace(RAW_RESPONSE_HINT, '') || String(code ?? error.name)
  const copy = new Error(strike(message))
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error))
  define(copy, 'name', strike(error.name))
  define(copy, 'stack', strike(error.stack ?? `${copy}`))
  if (code !== undefined) define(copy, 'code', strike(String(code)))
  if (Code !== undefined) define(copy, 'Code', strike(String(Code)))
  if ($fault !== undefined) define(copy, '$fault', $fault)
  if (typeof $metadata === 'object' && $metadata !== null) {
    const entries = Object.entries($metadata).map(([key, value]) => [
      key,
      typeof value === 'string' ? strike(value) : value,
    ])
    define(copy, '$metadata', Object.fromEntries(entries))
  }
  return copy
}

/** The text with session tokens and `secret`, an external ID, struck out. */
export function withoutSecrets(text: string, secret: string | undefined): string {
  const tokenless = text.replace(
    SESSION_TOKEN,
    (_, header: string | undefined) => `${header ?? ''}(left out)`,
  )
  if (secret === undefined || tokenless.length < secret.length) return tokenless
  return tokenless.replace(patternOf(secret), '(external ID)')
}

/** As it is, and as URLs, forms and JSON may write it. */
function patternOf(secret: string): RegExp {
  const characters = Array.from(secret, (character) => {
    if (/\w/.test(character)) return character
    const code = character.charCodeAt(0).toString(16).padStart(2, '0')
    return `(?:\\\\?\\x${code}|%${code})`
  })
  return new RegExp(characters.join(''), 'gi')
}

function define(error: Error, name: string, value: unknown): void {
  const enumerable = name !== 'name' && name !== 'stack'
  Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true })
}

/** The parts of AWS credentials, as far as they are given. */
interface AwsKeys {
  readonly accessKeyId?: unknown
  readonly secretAccessKey?: unknown
  readonly sessionToken?: unknown
}

type KeyName = keyof AwsKeys

const CALLED: Readonly<Record<KeyName, string>> = {
  accessKeyId: 'the access key ID',
  secretAccessKey: 'the secret access key',
  sessionToken: 'the session token',
}

const VARIABLES: Readonly<Record<KeyName, string>> = {
  accessKeyId: 'AWS_ACCESS_KEY_ID',
  secretAccessKey: 'AWS_SECRET_ACCESS_KEY',
  sessionToken: 'AWS_SESSION_TOKEN',
}

/** What is wrong with the form of AWS credentials, a line each. SECURITY: none holds a part of a key. */
export function keyProblems(keys: AwsKeys): string[] {
  return named(CALLED).flatMap(([key, called]) => {
    const problem = problemOf(keys[key])
    return problem === undefined ? [] : [`${called} ${problem}`]
  })
}

/**
 * As {@link keyProblems}, for the environment: `NAME: problem`. The AWS SDK does not read the keys there where
 * `AWS_PROFILE` names a profile.
 */
export function environmentKeyProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  if (env['AWS_PROFILE']) return []
  return named(VARIABLES).flatMap(([, variable]) => {
    const problem = problemOf(env[variable])
    return problem === undefined ? [] : [`${variable}: ${problem}`]
  })
}

/** AWS refuses such a key as one that it does not know, or the signature as wrong, and says nothing of the reason. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  if (/[\r\n]$/.test(value)) return 'ends with a line break; remove it'
  if (/^\s|\s$/.test(value)) return 'has white space at its beginning or end; remove it'
  if (/[^\x21-\x7e]/.test(value)) return 'holds white space or a character that no key has; copy it again'
  if (/^(["']).*\1$/.test(value)) return 'stands in quotation marks; remove them'
  return undefined
}

function named(names: Readonly<Record<KeyName, string>>): [KeyName, string][] {
  return Object.entries(names) as [KeyName, string][]
}

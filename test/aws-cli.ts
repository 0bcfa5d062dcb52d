import { execFile, execFileSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Debian puts it here; an AWS CLI v1 may come first on the PATH. */
const USUAL_PLACE = '/usr/bin/aws'

/** The AWS CLI v2, or undefined where there is none. Each `aws` on the PATH is asked what it is. */
export function findAwsCli(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = new Set([...folders.map((folder) => join(folder, 'aws')), USUAL_PLACE])
  return [...candidates].find((path) => versionOf(path).startsWith('aws-cli/2.'))
}

/** Under CI the AWS CLI must be there; elsewhere a test may be skipped for want of it, and says so. */
export function requireAwsCliInCi(cli: string | undefined): void {
  if (cli !== undefined) return
  const message = 'No AWS CLI v2 found on the PATH: the tests that need it do not run.'
  if (process.env['CI'] === 'true') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
}

export interface AwsCliSettings {
  readonly endpoint: string
  readonly region: string
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
}

/** Runs the CLI with nothing of this machine's own configuration. @throws what it wrote to stderr */
export async function runAwsCli(
  cli: string,
  args: readonly string[],
  settings: AwsCliSettings,
): Promise<unknown> {
  const { accessKeyId, secretAccessKey, sessionToken } = settings.credentials
  const env = {
    PATH: process.env['PATH'],
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  }
  const all = ['--endpoint-url', settings.endpoint, '--region', settings.region, '--output', 'json', ...args]
  try {
    const { stdout } = await promisify(execFile)(cli, all, { env })
    return stdout === '' ? undefined : JSON.parse(stdout)
  } catch (error) {
    throw new Error(String((error as { stderr?: string }).stderr ?? error).trim(), { cause: error })
  }
}

function versionOf(path: string): string {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}

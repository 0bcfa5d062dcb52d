import { createHash } from 'node:crypto'
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts'
import { FirehoseError } from '../errors.js'
import type { AssumedCredentials } from './assumed-role.js'
import { classify } from './error-classes.js'
import { redact } from './redact.js'

/** A chained role may not ask for more than an hour. */
const DURATION_SECONDS = 3600
const CALL_TIMEOUT_MS = 5_000

/**
 * One AssumeRole call.
 *
 * @throws FirehoseError `ERR_ASSUME_ROLE`, with what STS said as its cause; the external ID stands in neither
 */
export async function assumeRole(
  sts: STSClient,
  roleArn: string,
  externalId: string | undefined,
): Promise<AssumedCredentials> {
  const command = new AssumeRoleCommand({
    RoleArn: roleArn,
    RoleSessionName: sessionName(externalId),
    DurationSeconds: DURATION_SECONDS,
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
  })
  try {
    const answer = await send(sts, command)
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {}
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !(Expiration instanceof Date)) {
      throw new Error('the answer of STS holds no credentials')
    }
    // Expiration is STS's time; the SDK learns from each answer how far this machine's clock is off.
    const stsTime = Date.now() + sts.config.systemClockOffset
    return {
      identity: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
      lifetimeMs: Expiration.getTime() - stsTime,
    }
  } catch (error) {
    const cause = redact(error, externalId)
    throw new FirehoseError('ERR_ASSUME_ROLE', `Cannot assume ${roleArn}: ${cause.message}; ${fix(cause)}`, {
      cause,
    })
  }
}

async function send(sts: STSClient, command: AssumeRoleCommand) {
  const options = () => ({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) })
  try {
    return await sts.send(command, options())
  } catch (error) {
    if (classify(error).class !== 'reauth') throw error
    // The credentials that assume the role are themselves temporary on most machines: read them again, once.
    await sts.config.credentials({ forceRefresh: true })
    return await sts.send(command, options())
  }
}

/**
 * Tells sources apart in CloudTrail. SECURITY: a digest, as AWS repeats the session's name in its error messages
 * and a source's ID is its external ID.
 */
function sessionName(externalId: string | undefined): string {
  if (externalId === undefined) return 'analytics-firehose'
  return `analytics-firehose-${createHash('sha256').update(externalId).digest('hex').slice(0, 16)}`
}

function fix(cause: Error): string {
  if (classify(cause).class === 'retry') return 'it will be tried again'
  if (cause.name === 'CredentialsProviderError')
    return 'give this process AWS credentials to assume it with, from the environment, a profile or its machine'
  return (
    'check that the role exists, that its trust policy names these AWS credentials as principal, and that its ' +
    "sts:ExternalId is this source's ID or secret ID"
  )
}

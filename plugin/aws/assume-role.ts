import { createHash } from 'node:crypto'
import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts'
import { type Clock, systemClock } from '../clock.js'
import { FirehoseError } from '../errors.js'
import type { AssumeRoleSettings } from '../settings/settings.js'
import { withTimeout } from '../timeout.js'
import type { AmbientCredentials } from './ambient-credentials.js'
import type { FetchedCredentials } from './credential-cache.js'
import { type CalledService, describeAnswer, describeError } from './describe-error.js'
import { classify, isOfConnection } from './error-classes.js'
import { fixOf } from './error-fixes.js'

/** A chained role may not ask for more than an hour. */
const DURATION_SECONDS = 3600
const CALL_TIMEOUT_MS = 5_000

/** What a call is made with, beside the client; each may be left out. */
export interface AssumeRoleOptions {
  readonly session?: AssumeRoleSettings | undefined
  /** What the client's calls are signed with. */
  readonly ambient?: AmbientCredentials | undefined
  readonly dropIdleConnections?: () => void
  readonly clock?: Clock
  /** Of the STS that is asked, for messages. */
  readonly region?: string
}

/**
 * One AssumeRole call.
 *
 * @throws FirehoseError `ERR_ASSUME_ROLE`, with what STS said as its cause; the external ID stands in neither
 */
export async function assumeRole(
  sts: STSClient,
  roleArn: string,
  externalId: string | undefined,
  options: AssumeRoleOptions = {},
): Promise<FetchedCredentials> {
  const command = new AssumeRoleCommand(requestFor(roleArn, externalId, options.session))
  try {
    const answer = await send(sts, command, options)
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {}
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !(Expiration instanceof Date)) {
      throw new Error(`the answer of STS holds no credentials${describeAnswer(answer, externalId)}`)
    }
    // Expiration is STS's time; the SDK learns from each answer how far this machine's clock is off.
    const stsTime = Date.now() + sts.config.systemClockOffset
    return {
      identity: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
      lifetimeMs: Expiration.getTime() - stsTime,
    }
  } catch (error) {
    const region = options.region ?? String(await sts.config.region())
    throw notAssumed(roleArn, error, { service: 'STS', region, externalId })
  }
}

function notAssumed(roleArn: string, thrown: unknown, called: CalledService): FirehoseError {
  const cause = describeError(thrown, called)
  const fix = fixOf(thrown, called)
  const parts = [
    `Cannot assume ${roleArn}: ${cause.message}`,
    ...(fix === undefined ? [] : [fix]),
    ...(classify(thrown).class === 'retry' ? ['it will be tried again'] : []),
  ]
  return new FirehoseError('ERR_ASSUME_ROLE', parts.join('; '), { cause })
}

function requestFor(roleArn: string, externalId: string | undefined, session: AssumeRoleSettings = {}) {
  const { sessionName, sourceIdentity, tags, transitiveTags, durationSeconds } = session
  return {
    RoleArn: roleArn,
    RoleSessionName: sessionName ?? sessionNameFor(externalId),
    DurationSeconds: durationSeconds ?? DURATION_SECONDS,
    ...(externalId !== undefined && { ExternalId: externalId }),
    ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    ...(tags !== undefined && { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
    ...(transitiveTags !== undefined && { TransitiveTagKeys: [...transitiveTags] }),
  }
}

async function send(sts: STSClient, command: AssumeRoleCommand, options: AssumeRoleOptions) {
  const { ambient, clock = systemClock } = options
  const generation = ambient?.cache.generation ?? 0
  try {
    return await sendOnce(sts, command, options)
  } catch (error) {
    if (classify(error).class !== 'reauth') throw error
    // The credentials that assume the role are themselves temporary on most machines: read them again, once.
    if (ambient !== undefined) ambient.renew(generation)
    else await withTimeout(clock, CALL_TIMEOUT_MS, () => sts.config.credentials({ forceRefresh: true }))
    return await sendOnce(sts, command, options)
  }
}

async function sendOnce(sts: STSClient, command: AssumeRoleCommand, options: AssumeRoleOptions) {
  const { ambient, dropIdleConnections, clock = systemClock } = options
  // Before the call, so that its time is its own and the error says what was waited for.
  await ambient?.cache.credentials()
  try {
    return await withTimeout(clock, CALL_TIMEOUT_MS, (abortSignal) => sts.send(command, { abortSignal }))
  } catch (error) {
    if (isOfConnection(error)) dropIdleConnections?.()
    throw error
  }
}

/**
 * Tells sources apart in CloudTrail. SECURITY: a digest, as AWS repeats the session's name in its error messages
 * and a source's ID is its external ID.
 */
function sessionNameFor(externalId: string | undefined): string {
  if (externalId === undefined) return 'analytics-firehose'
  return `analytics-firehose-${createHash('sha256').update(externalId).digest('hex').slice(0, 16)}`
}

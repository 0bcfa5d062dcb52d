import { AwsError } from '../aws-error.js'
import type { Caller } from '../caller.js'
import { Validation } from '../validation.js'
import { type RequestedTags, readTags } from './session-tags.js'

export interface AssumeRoleRequest {
  readonly roleArn: string
  readonly sessionName: string
  readonly externalId?: string
  readonly durationSeconds: number
  /** A session policy, as JSON text. */
  readonly policy?: string
  readonly tags: RequestedTags
  readonly sourceIdentity?: string
}

const DEFAULT_DURATION_SECONDS = 3600

/** A role that assumes a role gets an hour at most, whatever the roles allow. */
const MAX_CHAINED_SECONDS = 3600

/** What would change the meaning of the session, and cannot be honoured here. */
const NOT_COVERED = [
  'PolicyArns.member.1.arn',
  'SerialNumber',
  'TokenCode',
  'ProvidedContexts.member.1.ProviderArn',
]

/** @throws AwsError ValidationError */
export function readAssumeRole(parameters: URLSearchParams, caller: Caller): AssumeRoleRequest {
  const text = (name: string) => parameters.get(name) ?? undefined
  const roleArn = text('RoleArn')
  const sessionName = text('RoleSessionName')
  const externalId = text('ExternalId')
  const policy = text('Policy')
  const sourceIdentity = text('SourceIdentity')
  const durationSeconds = readDuration(text('DurationSeconds'))
  const validation = new Validation()
    .text('roleArn', roleArn, { required: true, min: 20, max: 2048 })
    .text('roleSessionName', sessionName, { required: true, min: 2, max: 64, pattern: '[\\w+=,.@-]*' })
    .text('externalId', externalId, { min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' })
    .text('policy', policy, { min: 1, max: 2048 })
    .text('sourceIdentity', sourceIdentity, { min: 2, max: 64, pattern: '[\\w+=,.@-]*' })
    .number('durationSeconds', durationSeconds, { min: 900, max: 43_200 })
  const tags = readTags(parameters, validation)
  validation.finish('ValidationError')
  const chained = caller.roleArn !== undefined
  if (chained && (durationSeconds ?? 0) > MAX_CHAINED_SECONDS) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    )
  }
  const notCovered = NOT_COVERED.find((name) => parameters.has(name))
  if (notCovered !== undefined) throw validationError(`The local AWS does not cover ${notCovered}.`)

  return {
    roleArn: roleArn ?? '',
    sessionName: sessionName ?? '',
    ...(externalId !== undefined && { externalId }),
    durationSeconds: durationSeconds ?? DEFAULT_DURATION_SECONDS,
    ...(policy !== undefined && { policy }),
    tags,
    ...(sourceIdentity !== undefined && { sourceIdentity }),
  }
}

function readDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^-?\d{1,9}$/.test(text)) {
    throw new AwsError('MalformedInput', 400, `'${text}' at 'durationSeconds' is not an integer`)
  }
  return Number(text)
}

function validationError(message: string): AwsError {
  return new AwsError('ValidationError', 400, message)
}

import { createHash } from 'node:crypto'
import type { LocalAwsAccessKey } from './access-keys.js'
import { assumedRoleArn, parseRoleArn, userArn } from './arn.js'
import { authenticationError } from './authentication-error.js'
import type { Caller } from './caller.js'
import { type CredentialStore, type IssuedCredentials, sameToken } from './credentials.js'
import type { AwsRequest } from './request.js'
import type { Roles } from './roles.js'
import type { Service } from './service.js'
import { checkScope } from './signature-scope.js'
import { parseSignature, type SignatureClaim, verifySignature } from './sigv4.js'

export interface AuthenticationSettings {
  readonly accountId: string
  readonly accessKeys: readonly LocalAwsAccessKey[] | undefined
  readonly maxClockSkewMs: number
  readonly now: () => number
}

/** Finds out whom a request comes from, and refuses it where that cannot be proved. */
export class Authentication {
  readonly #settings: AuthenticationSettings
  readonly #credentials: CredentialStore
  readonly #roles: Roles

  constructor(settings: AuthenticationSettings, credentials: CredentialStore, roles: Roles) {
    this.#settings = settings
    this.#credentials = credentials
    this.#roles = roles
  }

  /** @throws AwsError in the words of `service` */
  authenticate(request: AwsRequest, service: Service): { caller: Caller; region: string } {
    const claim = parseSignature(request, service)
    const { now, maxClockSkewMs } = this.#settings
    checkScope(request, claim, service, { now: now(), maxSkewMs: maxClockSkewMs })
    // Temporary credentials are always proved: their secret is known, because it was made here.
    const caller = claim.accessKeyId.startsWith('ASIA')
      ? this.#session(request, claim, service)
      : this.#user(request, claim, service)
    return { caller, region: claim.region }
  }

  #session(request: AwsRequest, claim: SignatureClaim, service: Service): Caller {
    const issued = this.#credentials.find(claim.accessKeyId)
    if (issued === undefined || !sameToken(claim.sessionToken, issued.sessionToken)) {
      throw authenticationError(service, 'unknown-key')
    }
    verifySignature(request, claim, issued.secretAccessKey, service)
    if (issued.expiresAt <= this.#settings.now()) throw authenticationError(service, 'expired-credentials')
    // AWS forgets the sessions of a role with the role.
    if (!this.#roles.open && this.#roles.find(issued.roleArn) === undefined) {
      throw authenticationError(service, 'unknown-key')
    }
    return this.#assumed(issued)
  }

  #assumed(issued: IssuedCredentials): Caller {
    const role = parseRoleArn(issued.roleArn)
    if (role === undefined) throw new Error(`credentials were issued for a malformed role, ${issued.roleArn}`)
    const identityPolicy = this.#roles.find(issued.roleArn)?.permissionPolicy
    return {
      arn: assumedRoleArn(role, issued.sessionName),
      accountId: role.accountId,
      userId: `${stableId('AROA', issued.roleArn)}:${issued.sessionName}`,
      roleArn: issued.roleArn,
      marks: issued.marks,
      ...(identityPolicy && { identityPolicy }),
      ...(issued.sessionPolicy && { sessionPolicy: issued.sessionPolicy }),
    }
  }

  #user(request: AwsRequest, claim: SignatureClaim, service: Service): Caller {
    const { accessKeys, accountId } = this.#settings
    if (accessKeys === undefined) {
      const arn = userArn(claim.region, accountId, 'local')
      return { arn, accountId, userId: stableId('AIDA', arn) }
    }
    const key = accessKeys.find((candidate) => candidate.accessKeyId === claim.accessKeyId)
    if (key === undefined) throw authenticationError(service, 'unknown-key')
    verifySignature(request, claim, key.secretAccessKey, service)
    const arn = key.userArn ?? userArn(claim.region, accountId, key.accessKeyId)
    return {
      arn,
      accountId: arn.split(':')[4] ?? accountId,
      userId: stableId('AIDA', arn),
      ...(key.policy && { identityPolicy: key.policy }),
    }
  }
}

/** An id of AWS's form that is the same for the same ARN, from run to run. */
export function stableId(prefix: 'AIDA' | 'AROA', arn: string): string {
  return prefix + createHash('sha256').update(arn).digest('hex').slice(0, 17).toUpperCase()
}

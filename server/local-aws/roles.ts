import type { PolicyDocument } from './policy-document.js'

/** A role that can be assumed. */
export interface LocalAwsRole {
  /** `arn:aws:iam::123456789012:role/segment`, of any partition and account. */
  readonly arn: string
  /** Who may assume it, and with which `sts:ExternalId`. */
  readonly trustPolicy: PolicyDocument
  /**
   * What it may do.
   * @default everything; for a role that may do nothing give `{ Statement: [] }`
   */
  readonly permissionPolicy?: PolicyDocument
}

/** The roles there are; or, where none were given, every role one can name. */
export class Roles {
  #byArn: ReadonlyMap<string, LocalAwsRole> | undefined

  constructor(roles: readonly LocalAwsRole[] | undefined) {
    this.set(roles)
  }

  set(roles: readonly LocalAwsRole[] | undefined): void {
    this.#byArn = roles && new Map(roles.map((role) => [role.arn, role]))
  }

  /** No roles were given: anyone may assume any. */
  get open(): boolean {
    return this.#byArn === undefined
  }

  find(arn: string): LocalAwsRole | undefined {
    return this.#byArn?.get(arn)
  }
}

import type { Caller } from '../caller.js'
import type { CredentialStore } from '../credentials.js'
import type { Roles } from '../roles.js'

export interface StsState {
  readonly roles: Roles
  readonly credentials: CredentialStore
  readonly now: () => number
  /** Overrides how long credentials live, whatever was asked for. */
  readonly credentialLifetimeMs: number | undefined
}

interface StsCall {
  readonly parameters: URLSearchParams
  readonly caller: Caller
}

/** The content of the answer's `…Result` element: texts and nested elements. */
export interface StsResult {
  readonly [element: string]: string | StsResult
}

export type StsOperation = (state: StsState, call: StsCall) => StsResult

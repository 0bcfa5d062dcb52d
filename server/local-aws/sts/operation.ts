import type { Caller } from '../caller.js'
import type { CredentialStore } from '../credentials.js'
import type { Roles } from '../roles.js'
import type { XmlContent } from '../xml.js'

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

/** @returns the content of the answer's `…Result` element */
export type StsOperation = (state: StsState, call: StsCall) => XmlContent

import { assumeRole } from './assume-role.js'
import { getCallerIdentity } from './get-caller-identity.js'
import type { StsOperation } from './operation.js'

/** By the `Action` parameter. */
export const STS_OPERATIONS: ReadonlyMap<string, StsOperation> = new Map([
  ['AssumeRole', assumeRole],
  ['GetCallerIdentity', getCallerIdentity],
])

import { authenticationError } from './authentication-error.js'
import type { AwsRequest } from './request.js'
import type { Service } from './service.js'
import { formatTimestamp, type SignatureClaim } from './sigv4.js'

const TIMESTAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/
const REGION = /^[a-z]{2,}(-[a-z]+)+-\d+$/

/**
 * What AWS checks of a signature before it computes one: the scope names this service and a region, the date
 * is of now, and what must be signed is.
 * @throws AwsError
 */
export function checkScope(
  request: AwsRequest,
  claim: SignatureClaim,
  service: Service,
  clock: { readonly now: number; readonly maxSkewMs: number },
): void {
  const wrong = (message: string) => authenticationError(service, 'wrong-signature', message)
  if (!REGION.test(claim.region)) {
    throw wrong(`Credential should be scoped to a valid region, not '${claim.region}'. `)
  }
  if (claim.service !== service) {
    throw wrong(`Credential should be scoped to correct service: '${service}'. `)
  }
  if (!claim.timestamp.startsWith(`${claim.scopeDate}T`)) {
    throw wrong(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${claim.scopeDate}' != '${claim.timestamp.slice(0, 8)}', from '${claim.timestamp}'.`,
    )
  }
  checkSkew(claim, service, clock)
  const unsigned = unsignedHeader(request, claim)
  if (unsigned !== undefined) {
    throw wrong(`'${unsigned}' must be a 'SignedHeader' in the AWS Authorization.`)
  }
}

function checkSkew(
  claim: SignatureClaim,
  service: Service,
  { now, maxSkewMs }: { readonly now: number; readonly maxSkewMs: number },
): void {
  if (!Number.isFinite(maxSkewMs)) return
  const { timestamp } = claim
  const at = Date.parse(timestamp.replace(TIMESTAMP, '$1-$2-$3T$4:$5:$6Z'))
  if (!TIMESTAMP.test(timestamp) || Number.isNaN(at)) {
    throw authenticationError(
      service,
      'incomplete',
      `Date must be in ISO-8601 'basic format'. Got '${timestamp}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  }
  const minutes = Math.round(maxSkewMs / 60_000)
  const current = formatTimestamp(now)
  if (at < now - maxSkewMs) {
    const message = `Signature expired: ${timestamp} is now earlier than ${formatTimestamp(now - maxSkewMs)} (${current} - ${minutes} min.)`
    throw authenticationError(service, 'wrong-time', message)
  }
  if (at > now + maxSkewMs) {
    const message = `Signature not yet current: ${timestamp} is still later than ${formatTimestamp(now + maxSkewMs)} (${current} + ${minutes} min.)`
    throw authenticationError(service, 'wrong-time', message)
  }
}

/** The host and every x-amz- header must be signed, or someone in between could change them. */
function unsignedHeader(request: AwsRequest, claim: SignatureClaim): string | undefined {
  const signed = new Set(claim.signedHeaders)
  if (!signed.has('host')) return 'Host'
  return [...request.headers.keys()].find((name) => name.startsWith('x-amz-') && !signed.has(name))
}

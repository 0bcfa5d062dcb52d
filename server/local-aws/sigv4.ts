import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { authenticationError } from './authentication-error.js'
import type { AwsRequest } from './request.js'
import type { Service } from './service.js'

/**
 * Signature Version 4, from the verifier's side. Written out, not taken from the SDK: the SDK's signer is
 * what is being checked, and must not agree with itself.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export interface SignatureClaim {
  readonly accessKeyId: string
  readonly sessionToken?: string
  /** YYYYMMDD of the credential scope. */
  readonly scopeDate: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** YYYYMMDDTHHMMSSZ */
  readonly timestamp: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** @throws AwsError where there is no signature, or one that lacks a part */
export function parseSignature(request: AwsRequest, service: Service): SignatureClaim {
  const authorization = request.headers.get('authorization')
  if (authorization === undefined || !authorization.startsWith('AWS4-')) {
    throw authenticationError(service, 'missing')
  }
  const parameters = parseAuthorization(authorization)
  const timestamp = request.headers.get('x-amz-date') ?? basicDate(request.headers.get('date'))
  const missing = ['Credential', 'Signature', 'SignedHeaders']
    .filter((name) => !parameters.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`)
  if (timestamp === undefined) {
    missing.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  }
  if (missing.length > 0) throw authenticationError(service, 'incomplete', missing.join(' '))
  return claimOf(parameters, timestamp ?? '', request, service)
}

/** @throws AwsError unless the signature is the one made with this secret over this request */
export function verifySignature(
  request: AwsRequest,
  claim: SignatureClaim,
  secretAccessKey: string,
  service: Service,
): void {
  const expected = signatureOf(request, claim, secretAccessKey, service)
  const given = Buffer.from(claim.signature, 'hex')
  // SECURITY: constant-time, so that an answer's delay tells nothing about the right signature.
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw authenticationError(service, 'wrong-signature')
  }
}

function parseAuthorization(authorization: string): Map<string, string> {
  const parameters = authorization.slice(authorization.indexOf(' ') + 1).split(',')
  return new Map(
    parameters.map((parameter) => {
      const at = parameter.indexOf('=')
      return [parameter.slice(0, at).trim(), parameter.slice(at + 1).trim()]
    }),
  )
}

function claimOf(
  parameters: ReadonlyMap<string, string>,
  timestamp: string,
  request: AwsRequest,
  service: Service,
): SignatureClaim {
  const scope = (parameters.get('Credential') ?? '').split('/')
  const [accessKeyId = '', scopeDate = '', region = '', scopeService = '', terminator] = scope
  if (scope.length !== 5 || accessKeyId === '' || terminator !== 'aws4_request') {
    throw authenticationError(
      service,
      'incomplete',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${scope.join('/')}'`,
    )
  }
  const sessionToken = request.headers.get('x-amz-security-token')
  return {
    accessKeyId,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    scopeDate,
    region,
    service: scopeService,
    signedHeaders: (parameters.get('SignedHeaders') ?? '').split(';'),
    signature: parameters.get('Signature') ?? '',
    timestamp,
  }
}

function signatureOf(
  request: AwsRequest,
  claim: SignatureClaim,
  secretAccessKey: string,
  service: Service,
): Buffer {
  const scope = [claim.scopeDate, claim.region, claim.service, 'aws4_request']
  const stringToSign = [
    ALGORITHM,
    claim.timestamp,
    scope.join('/'),
    sha256Hex(canonicalRequest(request, claim.signedHeaders, service)),
  ].join('\n')
  const key = scope.reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`))
  return hmac(key, stringToSign)
}

function canonicalRequest(request: AwsRequest, signedHeaders: readonly string[], service: Service): string {
  const headers = signedHeaders.map((name) => {
    const value = request.headers.get(name.toLowerCase()) ?? ''
    return `${name.toLowerCase()}:${value.trim().replace(/ +/g, ' ')}\n`
  })
  return [
    request.method,
    // S3 alone does not encode the path a second time.
    service === 's3' ? request.path : request.path.split('/').map(encode).join('/'),
    canonicalQuery(request.query),
    headers.join(''),
    signedHeaders.join(';'),
    hashOfBody(request, service),
  ].join('\n')
}

/**
 * S3 signs what `x-amz-content-sha256` says, which may be that the body is not signed. For the others it is the body
 * itself, whatever the header claims: AWS CLI v2 does not send it.
 */
function hashOfBody({ headers, body }: AwsRequest, service: Service): string {
  return service === 's3' ? (headers.get('x-amz-content-sha256') ?? '') : sha256Hex(body)
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
}

/** RFC 3986, of which encodeURIComponent leaves five characters out. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function basicDate(httpDate: string | undefined): string | undefined {
  const at = Date.parse(httpDate ?? '')
  return Number.isNaN(at) ? undefined : formatTimestamp(at)
}

/** As SigV4 writes it: 20150830T123600Z. */
export function formatTimestamp(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function sha256Hex(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

import { createHash } from 'node:crypto'
import { objectArn } from '../arn.js'
import { AwsError } from '../aws-error.js'
import { type Caller, refusal } from '../caller.js'
import type { AwsRequest } from '../request.js'
import type { Route, RouteResult } from '../route.js'
import type { Answer } from '../service.js'
import { xmlElement, xmlText } from '../xml.js'
import type { Bucket, Buckets } from './buckets.js'
import { checkPayload } from './payload.js'

/** What the operations work on. */
export interface S3State {
  readonly buckets: Buckets
  /** Whether a bucket is made when something is first put to it. */
  readonly autoCreateBuckets: boolean
}

/** Of a key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1024

/** By the scope of its signature, or because no other service here has such requests. */
export function isS3Request({ method, headers }: AwsRequest): boolean {
  if (headers.has('x-amz-target')) return false
  return method === 'PUT' || /\/s3\/aws4_request\b/.test(headers.get('authorization') ?? '')
}

/**
 * Reads a request in S3's protocol: the bucket and the key are the path. Of the operations there are PutObject and
 * CreateBucket.
 */
export function s3Route(
  { buckets, autoCreateBuckets }: S3State,
  request: AwsRequest,
  requestId: string,
): Route {
  const { bucket: name, key } = placeOf(request.path)
  const action = actionOf(request, key)
  const unknown = new AwsError('NotImplemented', 501, 'The local AWS has PutObject and CreateBucket of S3.')
  return {
    service: 's3',
    action: action ?? 'Unknown',
    ...(name !== '' && { bucket: name }),
    ...(action === undefined && { unknown }),
    async run({ caller, region }) {
      if (action === undefined) throw unknown
      if (action === 'CreateBucket') return createBucket(buckets, name, caller, region)
      const bucket = buckets.find(name) ?? (autoCreateBuckets ? buckets.create(name, { region }) : undefined)
      if (bucket === undefined) {
        throw new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist')
      }
      checkRegion(bucket, region)
      requireBucketPermission(caller, bucket, key, region)
      return putObject(buckets, bucket, key, request)
    },
    answerError: (error) => xmlError(error, request.path, requestId),
  }
}

/** `/bucket/key`, of which the key may hold anything. */
function placeOf(path: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? []
  try {
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) }
  } catch {
    return { bucket: '', key: '' }
  }
}

function actionOf({ method, query }: AwsRequest, key: string): 'PutObject' | 'CreateBucket' | undefined {
  // Parameters of other operations, such as `?uploads` or `?tagging`, make another operation of the same path.
  const isPlain = [...query.keys()].every((name) => name === 'x-id')
  if (method !== 'PUT' || !isPlain) return undefined
  return key === '' ? 'CreateBucket' : 'PutObject'
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
async function putObject(
  buckets: Buckets,
  bucket: Bucket,
  key: string,
  request: AwsRequest,
): Promise<RouteResult> {
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new AwsError('KeyTooLongError', 400, 'Your key is too long')
  }
  checkPayload(request)
  await buckets.put(bucket, key, request.body)
  const etag = createHash('md5').update(request.body).digest('hex')
  const headers = { etag: `"${etag}"`, 'x-amz-server-side-encryption': 'AES256' }
  return { answer: { status: 200, headers, body: '' } }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
function createBucket(buckets: Buckets, name: string, caller: Caller, region: string): RouteResult {
  requirePermission(caller, 's3:CreateBucket', objectArn(region, name))
  buckets.create(name, { accountId: caller.accountId, region })
  return { answer: { status: 200, headers: { location: `/${name}` }, body: '' } }
}

/** @throws AwsError AuthorizationHeaderMalformed */
function checkRegion(bucket: Bucket, region: string): void {
  if (bucket.region === undefined || bucket.region === region) return
  throw new AwsError(
    'AuthorizationHeaderMalformed',
    400,
    `The authorization header is malformed; the region '${region}' is wrong; expecting '${bucket.region}'`,
  )
}

/** @throws AwsError AccessDenied */
function requireBucketPermission(caller: Caller, bucket: Bucket, key: string, region: string): void {
  const resource = objectArn(region, bucket.name, key)
  if (caller.accountId === bucket.accountId) return requirePermission(caller, 's3:PutObject', resource)
  // It would take a policy of the bucket's own, and buckets have none here.
  throw denied(
    caller,
    's3:PutObject',
    resource,
    'because no resource-based policy allows the s3:PutObject action',
  )
}

function requirePermission(caller: Caller, action: string, resource: string): void {
  const reason = refusal(caller, action, resource)
  if (reason !== undefined) throw denied(caller, action, resource, reason)
}

function denied(caller: Caller, action: string, resource: string, reason: string): AwsError {
  const message = `User: ${caller.arn} is not authorized to perform: ${action} on resource: "${resource}" ${reason}`
  return new AwsError('AccessDenied', 403, message)
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function xmlError({ code, status, message }: AwsError, path: string, requestId: string): Answer {
  const root = xmlElement('Error', {
    Code: code,
    Message: xmlText(message),
    Resource: xmlText(path),
    RequestId: requestId,
  })
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n${root.toString()}`
  return { status, headers: { 'content-type': 'application/xml', 'x-amz-request-id': requestId }, body }
}

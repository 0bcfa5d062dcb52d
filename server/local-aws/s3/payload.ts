import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { AwsError } from '../aws-error.js'
import type { AwsRequest } from '../request.js'

const SHA256 = /^[0-9a-f]{64}$/

type Digest = (body: Buffer) => Buffer

/** The checksums of a header that are verified here. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
const CHECKSUMS: ReadonlyMap<string, Digest> = new Map([
  ['crc32', (body) => uint32(crc32(body))],
  ['sha1', (body) => createHash('sha1').update(body).digest()],
  ['sha256', (body) => createHash('sha256').update(body).digest()],
])

/**
 * Checks a body against what its headers say of it.
 *
 * @throws AwsError in the words that AWS was recorded with; NotImplemented for a body in signed or trailing chunks
 */
export function checkPayload({ headers, body }: AwsRequest): void {
  const signed = headers.get('x-amz-content-sha256')
  if (signed === undefined) {
    throw new AwsError(
      'InvalidRequest',
      400,
      'Missing required header for this request: x-amz-content-sha256',
    )
  }
  if (signed.startsWith('STREAMING-')) {
    throw new AwsError('NotImplemented', 501, 'The local AWS takes no body in chunks (aws-chunked).')
  }
  if (SHA256.test(signed) && createHash('sha256').update(body).digest('hex') !== signed) {
    const message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    throw new AwsError('XAmzContentSHA256Mismatch', 400, message)
  }
  checkMd5(headers.get('content-md5'), body)
  for (const [name, digest] of CHECKSUMS) checkSum(name, headers.get(`x-amz-checksum-${name}`), digest(body))
}

function checkMd5(given: string | undefined, body: Buffer): void {
  if (given === undefined) return
  const md5 = createHash('md5').update(body).digest()
  if (Buffer.from(given, 'base64').length !== md5.length) {
    throw new AwsError('InvalidDigest', 400, 'The Content-MD5 you specified was invalid.')
  }
  if (given !== md5.toString('base64')) {
    throw new AwsError('BadDigest', 400, 'The Content-MD5 you specified did not match what we received.')
  }
}

function checkSum(name: string, given: string | undefined, computed: Buffer): void {
  if (given === undefined) return
  if (Buffer.from(given, 'base64').length !== computed.length) {
    throw new AwsError('InvalidRequest', 400, `Value for x-amz-checksum-${name} header is invalid.`)
  }
  if (given === computed.toString('base64')) return
  const message = `The ${name.toUpperCase()} you specified did not match the calculated checksum.`
  throw new AwsError('BadDigest', 400, message)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

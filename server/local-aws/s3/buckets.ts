import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AwsError } from '../aws-error.js'

/** A bucket. Its name is the only one of all regions, as in AWS. */
export interface Bucket {
  readonly name: string
  readonly accountId: string
  /** `undefined`: it takes calls that are signed for any region. */
  readonly region: string | undefined
}

export interface BucketsOptions {
  /** The folder of all objects, which is made with the first one. */
  readonly dir: string
  readonly accountId: string
}

/** AWS's default quota of an account. */
const MAX_BUCKETS = 10_000
/** Names are parts of paths and of host names. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const NAME = /^(?!xn--|.*\.\.)(?!\d{1,3}(?:\.\d{1,3}){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
/** Of a part of a path, on most file systems. */
const MAX_FILE_NAME_BYTES = 255

export function isBucketName(name: string): boolean {
  return NAME.test(name)
}

/** The buckets, whose objects are files: `<dir>/<bucket>/<key>`. */
export class Buckets {
  readonly #options: BucketsOptions
  readonly #buckets = new Map<string, Bucket>()
  #written = 0

  constructor(options: BucketsOptions) {
    this.#options = options
  }

  /** @throws AwsError InvalidBucketName, BucketAlreadyOwnedByYou, BucketAlreadyExists, TooManyBuckets */
  create(name: string, { accountId = this.#options.accountId, region }: Partial<Bucket> = {}): Bucket {
    if (!isBucketName(name)) {
      throw new AwsError('InvalidBucketName', 400, 'The specified bucket is not valid.')
    }
    const existing = this.#buckets.get(name)
    if (existing !== undefined) throw alreadyThere(existing, accountId)
    if (this.#buckets.size >= MAX_BUCKETS) {
      const message = 'You have attempted to create more buckets than allowed'
      throw new AwsError('TooManyBuckets', 400, message)
    }
    const bucket = { name, accountId, region }
    this.#buckets.set(name, bucket)
    return bucket
  }

  find(name: string): Bucket | undefined {
    return this.#buckets.get(name)
  }

  /** Resolves when the object is in its file, which appears whole. @throws AwsError where it cannot be a file here */
  async put({ name }: Bucket, key: string, body: Uint8Array): Promise<void> {
    const parts = key.split('/').map(fileName)
    if (parts.some((part) => Buffer.byteLength(part) > MAX_FILE_NAME_BYTES)) throw unfit(key)
    const path = join(this.#options.dir, name, ...parts)
    const temporary = join(dirname(path), `.${process.pid}-${this.#written++}.tmp`)
    try {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(temporary, body)
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      // S3 has keys such as `a` and `a/b` side by side, a file system does not.
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'EISDIR') throw unfit(key)
      throw error
    }
  }
}

/**
 * A part of a key as the name of a file. SECURITY: whoever puts an object chooses its key, and `..` would lead out of
 * the folder. Names that begin with a dot are those of unfinished files. No two keys have the same file.
 */
function fileName(part: string): string {
  return part === '' ? '%' : encodeURIComponent(part).replaceAll('*', '%2A').replace(/^\./, '%2E')
}

function alreadyThere({ accountId }: Bucket, by: string): AwsError {
  return accountId === by
    ? new AwsError(
        'BucketAlreadyOwnedByYou',
        409,
        'Your previous request to create the named bucket succeeded and you already own it.',
      )
    : new AwsError(
        'BucketAlreadyExists',
        409,
        'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
      )
}

function unfit(key: string): AwsError {
  return new AwsError(
    'NotImplemented',
    501,
    `The local AWS cannot keep an object of the key ${key} as a file.`,
  )
}

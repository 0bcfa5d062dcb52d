const FULL: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT'])

const PERMISSION = 'let the user that runs this process write there, or give another directory'
const OPEN_FILES =
  'raise the limit on open files (`ulimit -n`, or `LimitNOFILE=` in the systemd unit), or start fewer workers'

const FIXES: ReadonlyMap<string | undefined, string> = new Map([
  ['EACCES', PERMISSION],
  ['EPERM', PERMISSION],
  ['EROFS', 'the file system is read-only: mount it writable, or give another directory'],
  ['ENOTDIR', 'a part of the path is a file: give another directory'],
  ['EEXIST', 'there is a file of that name: give another directory'],
  ['ELOOP', 'the path is a link that leads back to itself: give another directory'],
  ['ENAMETOOLONG', 'the path is too long: give another directory'],
  ['EINVAL', 'the file system cannot make files durable (fsync): give a directory on a local disk or volume'],
  ['ENOSPC', 'make room on the disk'],
  ['EDQUOT', 'raise the quota of the user that runs this process, or make room on the disk'],
  ['EMFILE', OPEN_FILES],
  ['ENFILE', 'the machine has too many open files: raise its limit (`sysctl fs.file-max`)'],
  ['EIO', 'the disk gives errors: replace it, or give a directory on another one'],
])
const OTHER_FIX = 'give a directory on a disk that can be written and synced'

/** `ENOENT` and the like; `undefined` for what is no error of the system. */
export function errnoOf(error: unknown): string | undefined {
  // By its shape: an error of another realm (a vm context, as of some test runners) is no instance of this one's.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Whether the disk, or what the user may have of it, is full: what is on it can be read and removed all the same. */
export function isDiskFull(error: unknown): boolean {
  return FULL.has(errnoOf(error))
}

/** What to do about an error of a directory that is to be written. */
export function fixOf(error: unknown): string {
  return FIXES.get(errnoOf(error)) ?? OTHER_FIX
}

/** The code of an error and the fix, where the message names files that mean nothing to a reader. */
export function codeWithFix(error: unknown): string {
  const errno = errnoOf(error)
  return errno === undefined ? 'unknown error' : `${errno}; ${fixOf(error)}`
}

/** The message of an error, with the fix where it is one of the system. */
export function withFix(error: unknown): string {
  const { message = String(error) } = Object(error) as { readonly message?: string }
  return errnoOf(error) === undefined ? message : `${message}; ${fixOf(error)}`
}

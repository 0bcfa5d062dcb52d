import type { SpillTarget } from './spill.js'

/** What a file's name tells. */
export interface FileName {
  readonly target: SpillTarget
  /** When the oldest record in it was spilled, in ms since 1970. */
  readonly time: number
  readonly count: number
  /** 16 hex digits that no other file has. */
  readonly id: string
}

/** A name found in the directory. */
export interface FoundName {
  /** The name without what is said of its state. */
  readonly base: string
  readonly name: FileName
  readonly state: 'free' | 'claimed' | 'temporary' | 'torn'
  /** The instance that writes or claims it. */
  readonly owner: string | undefined
}

const STREAM = '[a-zA-Z0-9_.-]{1,64}'
const DIGEST = '[a-f0-9]{16}'
const TARGET = new RegExp(`^${STREAM}\\.${DIGEST}$`)
const NAME = new RegExp(
  `^((${STREAM})\\.(${DIGEST})\\.(\\d{8}T\\d{9}Z)\\.(\\d{1,9})\\.(${DIGEST})\\.ndjson)` +
    `(?:\\.(?:claimed-(${DIGEST})|tmp-(${DIGEST})|(torn)))?$`,
)
const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/

/**
 * `<stream>.<key>.<time>.<records>.<id>.ndjson`, all targets in one directory: so one fsync of it makes the files of
 * all targets durable, one listing finds them, and nothing has to be made before a target's first record.
 * `cat web-events.*.ndjson | jq` reads a stream, oldest first. The count is in the name so that it need not be read
 * for stats, and shows a file that was cut between two lines.
 */
export function formatName({ target, time, count, id }: FileName): string {
  const stamp = new Date(time).toISOString().replace(/[-:.]/g, '')
  return `${target.stream}.${target.key}.${stamp}.${count}.${id}.ndjson`
}

export const claimedName = (base: string, instance: string): string => `${base}.claimed-${instance}`
export const temporaryName = (base: string, instance: string): string => `${base}.tmp-${instance}`
export const tornName = (base: string): string => `${base}.torn`

/** `undefined` for what the spill did not write. */
export function parseName(text: string): FoundName | undefined {
  const [, base, stream, key, stamp, count, id, claimant, writer, torn] = NAME.exec(text) ?? []
  if (base === undefined || stream === undefined || key === undefined || id === undefined) return undefined
  const time = Date.parse(String(stamp).replace(TIME, '$1-$2-$3T$4:$5:$6.$7Z'))
  if (Number.isNaN(time)) return undefined
  const state = claimant ? 'claimed' : writer ? 'temporary' : torn ? 'torn' : 'free'
  return {
    base,
    name: { target: { stream, key }, time, count: Number(count), id },
    state,
    owner: claimant ?? writer,
  }
}

/** Equal for equal targets. SECURITY: no other target becomes part of a path. */
export function targetId({ stream, key }: SpillTarget): string {
  const id = `${stream}.${key}`
  if (!TARGET.test(id)) throw new TypeError(`No target of a spill: stream "${stream}", key "${key}"`)
  return id
}

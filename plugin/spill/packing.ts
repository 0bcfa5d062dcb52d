import { targetId } from './file-name.js'
import { byteLength } from './lines.js'
import type { SpillTarget } from './spill.js'

/** What waits to be written, all of it or nothing. */
export interface Parcel {
  readonly target: SpillTarget
  readonly records: readonly Uint8Array[]
  /** When its oldest record was spilled, in ms since 1970. */
  readonly time: number
}

/** Parcels that are written together: in one file or message, or a large one alone in several. */
export interface Pack<P extends Parcel> {
  readonly target: SpillTarget
  readonly parcels: readonly P[]
  readonly files: readonly (readonly Uint8Array[])[]
}

/** As few files as hold the parcels, a target each and none over `maxBytes` (but for a single record that is). */
export function pack<P extends Parcel>(parcels: readonly P[], maxBytes: number): Pack<P>[] {
  const packs: Pack<P>[] = []
  const open = new Map<string, { parcels: P[]; bytes: number }>()
  const seal = (group: readonly P[]) => {
    const [first] = group
    const records = group.flatMap((parcel) => parcel.records)
    if (first) packs.push({ target: first.target, parcels: group, files: split(records, maxBytes) })
  }
  for (const parcel of parcels) {
    const bytes = byteLength(parcel.records)
    const id = targetId(parcel.target)
    const group = open.get(id)
    if (group && group.bytes + bytes <= maxBytes) {
      group.parcels.push(parcel)
      group.bytes += bytes
    } else {
      if (group) seal(group.parcels)
      open.set(id, { parcels: [parcel], bytes })
    }
  }
  for (const group of open.values()) seal(group.parcels)
  return packs
}

/** Not by `Math.min(...)`: there may be more parcels than a call has room for arguments. */
export function oldestTime(parcels: readonly Parcel[]): number {
  return parcels.reduce((oldest, { time }) => Math.min(oldest, time), Number.POSITIVE_INFINITY)
}

function split(records: readonly Uint8Array[], maxBytes: number): Uint8Array[][] {
  const files: Uint8Array[][] = []
  let room = 0
  for (const record of records) {
    const last = files.at(-1)
    if (last && record.length <= room) last.push(record)
    else {
      files.push([record])
      room = maxBytes
    }
    room -= record.length
  }
  return files
}

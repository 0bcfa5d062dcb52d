import { type FileName, formatName, targetId } from './file-name.js'
import type { SpillTarget } from './spill.js'

/** A file of records that are durable and still to be delivered. */
export class SpillFile {
  readonly base: string
  readonly name: FileName
  readonly bytes: number
  /** The instance that has it claimed on the disk, as far as is known. */
  holder: string | undefined
  /** This process is at it: what a listing says of it is out of date. */
  inHand = false

  constructor(name: FileName, bytes: number, holder?: string) {
    this.base = formatName(name)
    this.name = name
    this.bytes = bytes
    this.holder = holder
  }
}

/** A target's files; insertion is in order of time but for what was given back or found late. */
interface Shelf {
  readonly target: SpillTarget
  files: Map<string, SpillFile>
  newest: number
  isSorted: boolean
}

/** The files that are known to be in the directory, with their sums kept. */
export class Inventory {
  readonly #shelves = new Map<string, Shelf>()
  #files = 0
  #records = 0
  #bytes = 0

  get files(): number {
    return this.#files
  }

  get records(): number {
    return this.#records
  }

  get bytes(): number {
    return this.#bytes
  }

  targets(): readonly SpillTarget[] {
    return [...this.#shelves.values()].map(({ target }) => target)
  }

  add(file: SpillFile): void {
    const { target, time, count } = file.name
    const id = targetId(target)
    const shelf = this.#shelves.get(id) ?? { target, files: new Map(), newest: 0, isSorted: true }
    if (shelf.files.has(file.base)) return
    this.#shelves.set(id, shelf)
    shelf.files.set(file.base, file)
    shelf.isSorted &&= time >= shelf.newest
    shelf.newest = Math.max(shelf.newest, time)
    this.#files++
    this.#records += count
    this.#bytes += file.bytes
  }

  drop(file: SpillFile): void {
    const id = targetId(file.name.target)
    const shelf = this.#shelves.get(id)
    if (!shelf?.files.delete(file.base)) return
    if (shelf.files.size === 0) this.#shelves.delete(id)
    this.#files--
    this.#records -= file.name.count
    this.#bytes -= file.bytes
  }

  get(target: SpillTarget, base: string): SpillFile | undefined {
    return this.#shelves.get(targetId(target))?.files.get(base)
  }

  all(): SpillFile[] {
    return [...this.#shelves.values()].flatMap(({ files }) => [...files.values()])
  }

  /** A target's files, oldest first. */
  oldestFirst(target: SpillTarget): Iterable<SpillFile> {
    const shelf = this.#shelves.get(targetId(target))
    return shelf ? sorted(shelf).values() : []
  }

  /** When the oldest record was spilled. */
  oldestTime(): number | undefined {
    let oldest: number | undefined
    for (const shelf of this.#shelves.values()) {
      const [first] = sorted(shelf).values()
      if (first && (oldest === undefined || first.name.time < oldest)) oldest = first.name.time
    }
    return oldest
  }
}

function sorted(shelf: Shelf): Map<string, SpillFile> {
  if (!shelf.isSorted) {
    shelf.files = new Map([...shelf.files].sort(([, a], [, b]) => a.name.time - b.name.time))
    shelf.isSorted = true
  }
  return shelf.files
}

import { basename, dirname } from 'node:path'
import type { NewFile, SpillFileSystem } from '../../../plugin/spill/file-system.js'

/** One file's contents, and what of them a power cut spares. */
interface Inode {
  bytes: Buffer
  syncedLength: number
  mtimeMs: number
}

type Names = Map<string, Inode>

interface Directory {
  names: Names
  /** The names that a power cut spares. */
  durable: Names
  /** What was done to the names since they were last durable, in order. */
  readonly unsynced: ((names: Names) => void)[]
  /** That no other directory has. */
  readonly id: string
}

let made = 0

export type Step = keyof SpillFileSystem | 'write' | 'sync' | 'close'

/** Told of each step before it is done; what it throws is the step's outcome, and the step is not done. */
export type Intercept = (step: Step, path: string) => void | Promise<void>

const errno = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code })

/**
 * A disk in memory that knows what is durable: a file's bytes after its fsync, a name after its directory's.
 * Its steps take no time, so that a fake clock's `settle` waits for them.
 */
export class MemoryDisk {
  readonly #directories = new Map<string, Directory>()
  readonly steps: { readonly step: Step; readonly path: string }[] = []

  constructor(directories = new Map<string, Directory>()) {
    this.#directories = directories
    if (!directories.has('/')) directories.set('/', newDirectory())
  }

  count(step: Step): number {
    return this.steps.filter((one) => one.step === step).length
  }

  /** What a power cut leaves: of what was not synced, `choose` (0 to below 1) says how much. */
  afterPowerCut(choose: () => number): MemoryDisk {
    const left = new Map<string, Directory>()
    for (const [path, { durable, unsynced }] of this.#directories) {
      const names: Names = new Map(durable)
      const kept = Math.floor(choose() * (unsynced.length + 1))
      for (const apply of unsynced.slice(0, kept)) apply(names)
      for (const [name, { bytes, syncedLength, mtimeMs }] of names) {
        const length = syncedLength + Math.floor(choose() * (bytes.length - syncedLength + 1))
        names.set(name, { bytes: bytes.subarray(0, length), syncedLength: length, mtimeMs })
      }
      left.set(path, { names, durable: new Map(names), unsynced: [], id: String(made++) })
    }
    return new MemoryDisk(left)
  }

  files(directory: string): string[] {
    return [...this.#directory(directory).names.keys()].sort()
  }

  contents(path: string): string {
    return this.#inode(path).bytes.toString()
  }

  put(path: string, bytes: Uint8Array | string): void {
    const data = Buffer.from(bytes)
    this.#change(path, (names, name) =>
      names.set(name, { bytes: data, syncedLength: data.length, mtimeMs: 0 }),
    )
  }

  /** One process's view of it. */
  fileSystem(intercept: Intercept = () => {}): SpillFileSystem {
    const before = async (step: Step, path: string) => {
      await intercept(step, path)
      this.steps.push({ step, path })
    }
    return {
      makeDirectory: async (path) => {
        await before('makeDirectory', path)
        return this.#makeDirectory(path)
      },
      list: async (path) => {
        await before('list', path)
        return [...this.#directory(path).names.keys()]
      },
      stat: async (path) => {
        await before('stat', path)
        const { bytes, mtimeMs } = this.#inode(path)
        return { size: bytes.length, mtimeMs, isFile: true }
      },
      identify: async (path) => {
        await before('identify', path)
        return { id: this.#directory(path).id, device: 'memory' }
      },
      create: async (path) => {
        await before('create', path)
        return this.#create(path, before)
      },
      read: async (path) => {
        await before('read', path)
        return Buffer.from(this.#inode(path).bytes)
      },
      rename: async (from, to) => {
        await before('rename', from)
        const inode = this.#inode(from)
        this.#change(from, (names) => {
          names.delete(basename(from))
          names.set(basename(to), inode)
        })
      },
      remove: async (path) => {
        await before('remove', path)
        this.#inode(path)
        this.#change(path, (names, name) => names.delete(name))
      },
      touch: async (path, timeMs) => {
        await before('touch', path)
        this.#inode(path).mtimeMs = timeMs
      },
      syncDirectory: async (path) => {
        await before('syncDirectory', path)
        const directory = this.#directory(path)
        directory.durable = new Map(directory.names)
        directory.unsynced.length = 0
      },
    }
  }

  #create(path: string, before: Intercept): NewFile {
    if (this.#directory(dirname(path)).names.has(basename(path))) throw errno('EEXIST', path)
    const inode: Inode = { bytes: Buffer.alloc(0), syncedLength: 0, mtimeMs: 0 }
    this.#change(path, (names, name) => names.set(name, inode))
    return {
      write: async (bytes) => {
        await before('write', path)
        inode.bytes = Buffer.concat([inode.bytes, bytes])
      },
      sync: async () => {
        await before('sync', path)
        inode.syncedLength = inode.bytes.length
      },
      close: async () => {
        await before('close', path)
      },
    }
  }

  /** Directories themselves are durable at once: which of them is synced is shown on a real disk's steps. */
  #makeDirectory(path: string): string | undefined {
    if (this.#directories.has(path)) return undefined
    const first = this.#makeDirectory(dirname(path)) ?? path
    this.#directories.set(path, newDirectory())
    return first
  }

  #change(path: string, apply: (names: Names, name: string) => void): void {
    const directory = this.#directory(dirname(path))
    const change = (names: Names) => apply(names, basename(path))
    change(directory.names)
    directory.unsynced.push(change)
  }

  #directory(path: string): Directory {
    const directory = this.#directories.get(path)
    if (directory === undefined) throw errno('ENOENT', path)
    return directory
  }

  #inode(path: string): Inode {
    const inode = this.#directory(dirname(path)).names.get(basename(path))
    if (inode === undefined) throw errno('ENOENT', path)
    return inode
  }
}

function newDirectory(): Directory {
  return { names: new Map(), durable: new Map(), unsynced: [], id: String(made++) }
}

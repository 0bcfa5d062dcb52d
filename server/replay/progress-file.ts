import { dirname } from 'node:path'
import * as z from 'zod'
import { errnoOf } from '../../plugin/spill/disk-error.js'
import { nodeFileSystem, removeIfPossible, writeSynced } from '../../plugin/spill/file-system.js'
import type { InputFile } from './input-files.js'
import type { Position } from './lines.js'

/** A line that was read and did not arrive: where it begins, and what of it is left to send, empty for all of it. */
export interface Leftover extends Position {
  readonly targets: readonly string[]
}

/** How far a file has come. */
export interface FileProgress {
  readonly inode: number
  readonly size: number
  /** Read to its end. */
  isRead: boolean
  /** All before it is settled, but for what is left. */
  position: Position
  /** By offset. */
  readonly left: Map<number, Leftover>
}

const count = z.int().min(0)
const schema = z.strictObject({
  version: z.literal(1),
  files: z.record(
    z.string(),
    z.strictObject({
      inode: z.number(),
      size: count,
      isRead: z.boolean(),
      position: z.strictObject({ offset: count, line: count }),
      left: z.array(z.strictObject({ offset: count, line: count, targets: z.array(z.string()) })),
    }),
  ),
})

/** What has arrived of each file, kept beside the input until all has. It holds places, nothing of the events. */
export class ProgressFile {
  readonly path: string
  readonly #files: Map<string, FileProgress>

  private constructor(path: string, files: Map<string, FileProgress>) {
    this.path = path
    this.#files = files
  }

  /** @throws Error where the file is no progress of a replay */
  static async load(path: string): Promise<ProgressFile> {
    const text = await nodeFileSystem.read(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return new ProgressFile(path, new Map())
    try {
      const { files } = schema.parse(JSON.parse(Buffer.from(text).toString('utf8')))
      const entries = Object.entries(files).map(([name, { left, ...rest }]) => {
        return [name, { ...rest, left: new Map(left.map((it) => [it.offset, it])) }] as const
      })
      return new ProgressFile(path, new Map(entries))
    } catch (cause) {
      throw new Error(`${path} is not the progress of a replay; remove it to begin anew`, { cause })
    }
  }

  get leftovers(): number {
    return [...this.#files.values()].reduce((sum, { left }) => sum + left.size, 0)
  }

  /** A file that was replaced begins anew; one that has grown goes on, if it `mayGrow`. */
  of({ name, inode, size }: InputFile, mayGrow: boolean): FileProgress {
    const known = this.#files.get(name)
    const isSame = known?.inode === inode && (known.size === size || (mayGrow && known.size < size))
    const left = isSame ? known.left : new Map<number, Leftover>()
    const position = isSame ? known.position : { offset: 0, line: 0 }
    const isRead = isSame && known.isRead && known.size === size
    const progress: FileProgress = { inode, size, isRead, position, left }
    this.#files.set(name, progress)
    return progress
  }

  /** Resolves when it will outlive a power cut. @throws Error that tells the fix */
  async save(): Promise<void> {
    const files = [...this.#files].map(([name, { left, ...rest }]) => [
      name,
      { ...rest, left: [...left.values()] },
    ])
    const json = `${JSON.stringify({ version: 1, files: Object.fromEntries(files) })}\n`
    const temporary = `${this.path}.tmp`
    try {
      await removeIfPossible(nodeFileSystem, temporary)
      await writeSynced(nodeFileSystem, temporary, Buffer.from(json))
      await nodeFileSystem.rename(temporary, this.path)
      await nodeFileSystem.syncDirectory(dirname(this.path))
    } catch (cause) {
      throw cannotBeWritten(this.path, cause)
    }
  }

  async remove(): Promise<void> {
    await removeIfPossible(nodeFileSystem, this.path)
  }
}

/** What is kept beside the input cannot be. */
export function cannotBeWritten(path: string, cause: unknown): Error {
  return new Error(
    `${path} cannot be written (${errnoOf(cause)}), beside the input: let this process write there, or copy the input elsewhere`,
    { cause },
  )
}

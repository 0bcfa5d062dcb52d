import { formatOf, type InputFile, openInput } from './input-files.js'
import { linesIn } from './lines.js'
import type { ProgressFile } from './progress-file.js'

/** More than a dead letter has around a record of the largest size. */
const MAX_LINE_BYTES = 2 * 1024 * 1024

/** A file could not be opened, or not read to its end. */
export class UnreadableFile extends Error {}

/**
 * The lines of a file that have not arrived yet.
 *
 * @param onOpen - gets what tells how many bytes of the file were read
 * @throws UnreadableFile
 */
export async function* unsettledLines(
  file: InputFile,
  kept: ProgressFile,
  onOpen: (bytesRead: () => number) => void,
) {
  try {
    const format = await formatOf(file)
    const progress = kept.of(file, format === 'plain')
    if (progress.isRead && progress.left.size === 0) return
    const [first] = [...progress.left.values()].sort((a, b) => a.offset - b.offset)
    const start = first ?? progress.position
    // As they were at the start: what fails in this run is left for the next one.
    const { offset: settled } = progress.position
    const left = new Set(progress.left.keys())
    const input = await openInput(file, format, start.offset)
    onOpen(input.bytesRead)
    for await (const line of linesIn(input.chunks, start, MAX_LINE_BYTES)) {
      if (line.offset >= settled || left.has(line.offset)) yield { line, progress }
    }
    // Who got the last lines settles them before progress is written down again.
    progress.isRead = true
  } catch (cause) {
    throw new UnreadableFile((cause as Error).message, { cause })
  }
}

/** Why a command cannot go on, in lines that are shown as they are. It exits with 1. */
export class CommandError extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[], options?: { cause?: unknown }) {
    super(lines.join('\n'), options)
    this.name = 'CommandError'
    this.lines = lines
  }
}

/** Why a command cannot go on, in lines that are shown as they are. It exits with 1, unless `exitCode` says otherwise. */
export class CommandError extends Error {
  readonly lines: readonly string[]
  readonly exitCode: number

  constructor(lines: readonly string[], options: { cause?: unknown; exitCode?: number } = {}) {
    const { exitCode = 1, ...rest } = options
    super(lines.join('\n'), rest)
    this.name = 'CommandError'
    this.lines = lines
    this.exitCode = exitCode
  }
}

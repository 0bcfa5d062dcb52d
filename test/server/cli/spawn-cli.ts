import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach } from '@jest/globals'

/** The built command: `npm run build` makes it. */
export const BIN = fileURLToPath(new URL('../../../dist/server/bin.js', import.meta.url))

const runs: Cli[] = []

export interface SpawnOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Whether Node.js may warn. @default false */
  readonly nodeWarnings?: boolean
  /** Files that it may have open, connections included. @default the limit of the tests */
  readonly openFiles?: number
}

/** A run of the command, and what it has written so far. */
export class Cli {
  readonly child: ChildProcessWithoutNullStreams
  readonly #closed: Promise<unknown>
  stdout = ''
  stderr = ''

  constructor(args: readonly string[], { cwd, env = {}, nodeWarnings = false, openFiles }: SpawnOptions) {
    // Without the credentials and settings of the machine that the tests run on.
    const { PATH = '' } = process.env
    const command = [process.execPath, ...(nodeWarnings ? [] : ['--no-warnings']), BIN, ...args]
    const limited = ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, ...command]
    const [file = '', ...rest] = openFiles === undefined ? command : limited
    this.child = spawn(file, rest, { cwd, env: { PATH, ...env } })
    runs.push(this)
    this.#closed = once(this.child, 'close')
    this.child.stdout.on('data', (chunk) => {
      this.stdout += chunk
    })
    this.child.stderr.on('data', (chunk) => {
      this.stderr += chunk
    })
  }

  /** Waits for a line of stdout that matches, and gives the first group. */
  async saw(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.stdout)
      if (found !== null) return found[1] ?? found[0]
      if (this.#hasEnded()) throw new Error(`It ended without ${pattern}: ${this.stderr}`)
      await Promise.race([once(this.child.stdout, 'data'), this.#closed])
    }
  }

  /** Waits until stderr matches. */
  async logged(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) {
      if (this.#hasEnded()) throw new Error(`It ended without ${pattern}: ${this.stderr}`)
      await Promise.race([once(this.child.stderr, 'data'), this.#closed])
    }
  }

  async ended() {
    await this.#closed
    return { code: this.child.exitCode, stdout: this.stdout, stderr: this.stderr }
  }

  #hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }
}

export function cli(args: readonly string[], options: SpawnOptions) {
  return new Cli(args, options).ended()
}

afterEach(async () => {
  // Its workers included, which hold its output open: none may write to a directory that is being removed.
  await Promise.all(
    runs.splice(0).map((run) => {
      run.child.kill('SIGKILL')
      return run.ended()
    }),
  )
})

import { createHash } from 'node:crypto'
import { watch as fsWatch, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'

/** Until a look at the file, and again until the next, which must find the same: an editor may be half through it. */
const SETTLED_MS = 200

/** Between two looks at a file that cannot be read. */
const RETRY_MS = 5_000

/** In place of a hash, with the system's code. */
const UNREADABLE = 'unreadable: '

/** What of `process` this needs. */
export interface ReloadSignals {
  on(signal: 'SIGHUP', listener: () => void): unknown
  off(signal: 'SIGHUP', listener: () => void): unknown
}

/** What of `fs.FSWatcher` this needs. */
export interface DirectoryWatcher {
  on(event: 'error', listener: (error: Error) => void): unknown
  close(): void
}

/** Calls back whenever something in the directory may have changed. @throws Error where that cannot be told */
export type WatchDirectory = (dir: string, onEvent: () => void) => DirectoryWatcher

export interface ConfigWatchOptions {
  readonly file: string
  readonly signals: ReloadSignals
  readonly clock: Pick<Clock, 'after'>
  readonly onChange: () => Promise<void> | void
  readonly logger?: Pick<Logger, 'warn' | 'error'>
  /** @default `fs.watch`, which does not keep the process alive */
  readonly watch?: WatchDirectory
  /** Equal where a file holds the same, and `undefined` where there is none now. @default SHA-256 of what is read */
  readonly hash?: (file: string) => string | undefined
}

/**
 * Calls `onChange` at SIGHUP, and when the file holds something else than before: edited in place, replaced by another,
 * or behind a symbolic link that now leads elsewhere, as Kubernetes does it. Never while `onChange` still runs: a change
 * meanwhile is taken up after it. While the file is gone nothing happens. Of a link into another directory it sees the
 * swap, not what happens there.
 *
 * Never throws: where a directory cannot be watched, SIGHUP is left, and the log says so.
 */
export function watchConfigFile(options: ConfigWatchOptions): { close(): void } {
  const { file, signals, clock, onChange, logger, hash = hashOf } = options
  const reload = new OneAtATime(onChange, (error) =>
    logger?.error(`Taking up the config file failed: ${messageOf(error)}`),
  )
  const onSignal = () => reload.run()
  signals.on('SIGHUP', onSignal)
  const content = new SettledContent({ hash: () => hash(file), clock, onChange: () => reload.run() })
  // The directory, as a watcher of the file alone would stay with the one that was replaced.
  const stopWatching = startWatching(options, () => content.check())
  return {
    close() {
      signals.off('SIGHUP', onSignal)
      stopWatching()
      content.close()
      reload.close()
    },
  }
}

interface SettledContentParts extends Pick<ConfigWatchOptions, 'clock'> {
  readonly hash: () => string | undefined
  readonly onChange: () => void
}

/** Tells when a file holds something else than before, and the same at two looks. */
class SettledContent {
  readonly #parts: SettledContentParts
  /** What was told of last, or there at the start. */
  #known: string | undefined
  /** What the last look found, where that is new and is to be seen again. */
  #found: string | undefined
  /** Cancels the next look; `undefined` while none is to come. */
  #cancel: (() => void) | undefined

  constructor(parts: SettledContentParts) {
    this.#parts = parts
    this.#known = parts.hash()
  }

  /**
   * A busy directory, such as one that is logged to, costs one read now and then and puts nothing off. Each event is
   * followed by a look, so that no change is missed.
   */
  check(): void {
    this.#cancel ??= this.#parts.clock.after(SETTLED_MS, () => this.#look())
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #look(): void {
    this.#cancel = undefined
    const { hash, onChange } = this.#parts
    const found = hash()
    const isNew = found !== undefined && found !== this.#known
    const isSettled = found === this.#found
    this.#found = isNew && !isSettled ? found : undefined
    if (isNew && !isSettled) return this.check()
    if (isNew) {
      this.#known = found
      onChange()
    }
    // No event tells when a file can be read again that could not be, as while too many files are open.
    if (found?.startsWith(UNREADABLE)) this.#cancel = this.#parts.clock.after(RETRY_MS, () => this.#look())
  }
}

/** Runs a task, and once more where that was asked for meanwhile. */
class OneAtATime {
  readonly #task: () => Promise<void> | void
  readonly #onError: (error: unknown) => void
  #isRunning = false
  #isAskedFor = false
  #isClosed = false

  constructor(task: () => Promise<void> | void, onError: (error: unknown) => void) {
    this.#task = task
    this.#onError = onError
  }

  run(): void {
    this.#isAskedFor = true
    if (!this.#isRunning) void this.#runWhileAskedFor()
  }

  close(): void {
    this.#isClosed = true
  }

  async #runWhileAskedFor(): Promise<void> {
    this.#isRunning = true
    while (this.#isAskedFor && !this.#isClosed) {
      this.#isAskedFor = false
      try {
        await this.#task()
      } catch (error) {
        this.#onError(error)
      }
    }
    this.#isRunning = false
  }
}

/** Returns how to stop. */
function startWatching(
  { file, logger, watch = watchDirectory }: ConfigWatchOptions,
  onEvent: () => void,
): () => void {
  const giveUp = (error: unknown) =>
    logger?.warn(`Changes of ${file} are taken up at SIGHUP only: ${messageOf(error)}`)
  try {
    const watcher = watch(dirname(file), onEvent)
    let isOver = false
    const stop = () => {
      if (!isOver) watcher.close()
      isOver = true
    }
    watcher.on('error', (error) => {
      if (!isOver) giveUp(error)
      stop()
    })
    return stop
  } catch (error) {
    giveUp(error)
    return () => {}
  }
}

const watchDirectory: WatchDirectory = (dir, onEvent) => fsWatch(dir, { persistent: false }, onEvent)

/**
 * `undefined` where there is no file now. A pipe, as of a shell's `<(…)`, is none: it can be read only once. A file that
 * cannot be read counts as a change, so that whoever takes it up says why.
 */
function hashOf(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return undefined
    return createHash('sha256').update(readFileSync(file)).digest('base64')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? undefined : `${UNREADABLE}${code}`
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

import { stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { systemClock } from '../../plugin/clock.js'
import type { Logger } from '../../plugin/logger.js'
import { type LoadedConfig, readConfigFile } from '../config/config-file.js'
import { watchConfigFile } from '../config/config-watch.js'
import type { ServeConfiguration } from '../config/configuration.js'
import type { Terminal } from './terminal.js'

export interface ReloadOptions {
  readonly file: string
  /** Serves what was loaded from now on. */
  readonly take: (loaded: LoadedConfig) => Promise<void> | void
  /** What was loaded at the start. */
  readonly first: ServeConfiguration
  readonly terminal: Terminal
  readonly logger: Logger
}

/** Loads the config file again when it changes or SIGHUP asks for it. A file with problems changes nothing. */
export function reloadOnChange(options: ReloadOptions): { close(): void } {
  const { file, terminal, logger } = options
  return watchConfigFile({
    file,
    signals: terminal.signals,
    clock: systemClock,
    logger,
    onChange: () => reload(options),
  })
}

async function reload({ file, take, first, terminal, logger }: ReloadOptions): Promise<void> {
  if (await isPipe(file)) {
    logger.error(
      `${file}: is a pipe, which can be read only once; not loaded again, start the process anew for that`,
    )
    return
  }
  const read = await readConfigFile(file, { env: terminal.env, logger })
  if ('problems' in read) {
    for (const problem of read.problems) logger.error(`${file}: ${problem}`)
    logger.error(`${file}: not loaded; what was loaded before stays`)
    return
  }
  const { configuration } = read
  for (const name of ['listen', 'metrics'] as const) {
    if (!isDeepStrictEqual(configuration[name], first[name]))
      logger.warn(`${name}: has changed; that takes effect at the next start`)
  }
  await take(read)
  logger.info(`${file}: loaded again, ${configuration.sources.length} source(s)`)
}

/** As a shell's `<(…)` is. To read it could be to wait for ever. */
async function isPipe(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined)
  return stats !== undefined && !stats.isFile() && !stats.isDirectory()
}

import { type ConfigFileContext, type LoadedConfig, readConfigFile } from '../config/config-file.js'
import type { ServeConfiguration } from '../config/configuration.js'
import { CommandError } from './command-error.js'

/** @throws CommandError with a line for each thing that is wrong */
export async function loadConfig(file: string, context: ConfigFileContext): Promise<ServeConfiguration> {
  return (await loadConfigFile(file, context)).configuration
}

/** {@link loadConfig}, with the text of the file. `hint` follows what is said of a file that is not there. */
export async function loadConfigFile(
  file: string,
  context: ConfigFileContext,
  hint = '; create it, or name another with --config',
): Promise<LoadedConfig> {
  const read = await readConfigFile(file, context)
  if ('configuration' in read) return read
  const end = read.isMissing ? hint : ''
  throw new CommandError(read.problems.map((problem) => `${file}: ${problem}${end}`))
}

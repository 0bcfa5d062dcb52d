import { type ConfigFileContext, readConfigFile } from '../config/config-file.js'
import type { ServeConfiguration } from '../config/configuration.js'
import { CommandError } from './command-error.js'

/** @throws CommandError with a line for each thing that is wrong */
export async function loadConfig(
  file: string,
  context: ConfigFileContext,
  hint = '',
): Promise<ServeConfiguration> {
  const read = await readConfigFile(file, context)
  if ('configuration' in read) return read.configuration
  throw new CommandError(
    read.problems.map((problem) => `${file}: ${problem}${isMissing(problem) ? hint : ''}`),
  )
}

function isMissing(problem: string): boolean {
  return problem.endsWith('there is no such file')
}

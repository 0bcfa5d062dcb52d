import { FirehoseError } from '../../plugin/errors.js'
import { CommandError } from './command-error.js'

/** What is shown of an error. SECURITY: no stack, which shows paths of the machine. */
export function errorLines(error: unknown): readonly string[] {
  if (error instanceof CommandError) return error.lines
  if (error instanceof FirehoseError && error.code === 'ERR_SETTINGS') return problemsOf(error)
  return [error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)]
}

/** What follows the heading of such an error, which holds no secret. */
function problemsOf({ message }: FirehoseError): readonly string[] {
  const [heading = '', ...problems] = message.split('\n').map((line) => line.trim())
  return problems.length > 0 ? problems : [heading]
}

import { InvalidArgumentError } from 'commander'
import type { Environment } from '../config/environment.js'
import { CommandError } from './command-error.js'

const RANGE = 'a whole number from 0 to 65535'

/** Of a flag. @throws InvalidArgumentError which commander turns into a line */
export function parsePort(text: string): number {
  const port = portOf(text)
  if (port === undefined) throw new InvalidArgumentError(`Use ${RANGE}.`)
  return port
}

/** Of the environment variable `PORT`, as platforms set it. @throws CommandError */
export function portFrom(env: Environment): number | undefined {
  const text = env['PORT']
  if (text === undefined || text === '') return undefined
  const port = portOf(text)
  if (port === undefined) throw new CommandError([`PORT: got ${JSON.stringify(text)}; use ${RANGE}`])
  return port
}

function portOf(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

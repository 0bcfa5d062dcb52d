import type { Logger } from '../../plugin/logger.js'

type Warnings = Pick<NodeJS.Process, 'listeners' | 'off' | 'on'>

/** The name of Node's own listener, which is not there where warnings are switched off. */
const PRINTS = 'onWarning'

/** Has what Node.js warns of, and libraries by it, go to the log: it prints several lines, beside a log of JSON too. */
export function logNodeWarnings(log: Pick<Logger, 'warn'>, source: Warnings = process): void {
  const printing = source.listeners('warning').find(({ name }) => name === PRINTS)
  if (printing === undefined) return
  source.off('warning', printing as (warning: Error) => void)
  source.on('warning', ({ name, message }) => log.warn(`${name}: ${String(message).replace(/\s+/g, ' ')}`))
}

import type { ServeConfiguration } from '../config/configuration.js'
import type { LogFormat, LogLevel } from './log.js'
import { portFrom } from './port.js'
import type { Terminal } from './terminal.js'

export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_PORT = 8080

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']
export const LOG_FORMATS: readonly LogFormat[] = ['text', 'json']

export interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly localAws?: string | true
  readonly logLevel?: LogLevel
  readonly logFormat?: LogFormat
}

/** A flag goes before the config file, and that before the environment. */
export function addressOf(
  flags: ServeFlags,
  listen: ServeConfiguration['listen'],
  env: Terminal['env'],
): { host: string; port: number } {
  const host = flags.host ?? listen.host ?? (env['HOST'] || DEFAULT_HOST)
  const port = flags.port ?? listen.port ?? portFrom(env) ?? DEFAULT_PORT
  return { host, port }
}

import type { ListenConfiguration } from '../config/configuration.js'
import type { Environment } from '../config/environment.js'
import type { ListenAddress } from '../listening.js'
import type { LogFormat, LogLevel } from './log.js'
import { portFrom } from './port.js'

export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_PORT = 8080

export interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly metricsPort?: number
  /** The directory that records land in; `true` for a new one. */
  readonly localAws?: string | true
  /** Processes that share the port. */
  readonly workers: number
  readonly logLevel?: LogLevel
  readonly logFormat?: LogFormat
}

/**
 * Where to listen: by flag, else as the config file says, else by `HOST` and `PORT`.
 *
 * @throws CommandError where `PORT` is needed and is none
 */
export function listenAddress(
  flags: ServeFlags,
  listen: ListenConfiguration,
  env: Environment,
): ListenAddress {
  return {
    host: flags.host ?? listen.host ?? (env['HOST'] || DEFAULT_HOST),
    port: flags.port ?? listen.port ?? portFrom(env) ?? DEFAULT_PORT,
  }
}

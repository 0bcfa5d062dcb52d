import { InvalidArgumentError } from 'commander'
import type { ServeConfiguration } from '../config/configuration.js'
import type { Environment } from '../config/environment.js'
import { HEADER_BYTES } from '../http/limits.js'
import type { ServeAddress } from '../serve.js'
import type { LogFormat, LogLevel } from './log.js'
import { portFrom } from './port.js'

export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_PORT = 8080

export interface ServeFlags {
  readonly config?: string
  readonly host?: string
  readonly port?: number
  readonly metricsPort?: number
  readonly maxHeaderBytes?: number
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
  listen: ServeConfiguration['listen'],
  env: Environment,
): ServeAddress {
  return {
    host: flags.host ?? listen.host ?? (env['HOST'] || DEFAULT_HOST),
    port: flags.port ?? listen.port ?? portFrom(env) ?? DEFAULT_PORT,
    maxHeaderBytes: flags.maxHeaderBytes ?? listen.maxHeaderBytes,
  }
}

/** Parses `--max-header-bytes`. @throws InvalidArgumentError, which commander prints as one line */
export function parseHeaderBytes(text: string): number {
  const { min, max } = HEADER_BYTES
  const bytes = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (bytes >= min && bytes <= max) return bytes
  throw new InvalidArgumentError(`Use a whole number of bytes from ${min} to ${max}.`)
}

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '../plugin/clock.js'
import { guarded, type Logger } from '../plugin/logger.js'
import { MinuteNotices } from './minute-notices.js'

export interface ListenAddress {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
}

/** The names of what users set a {@link ListenAddress} with. */
export type ListenSettings = Readonly<Record<keyof ListenAddress, string>>

/**
 * Has the server listen there, and resolves to its URL. From then on it logs connections that it could not accept.
 *
 * @throws Error whose message is fit for the command line
 */
export async function listen(
  server: Server,
  address: ListenAddress,
  { settings, logger }: { readonly settings: ListenSettings; readonly logger: Logger },
): Promise<string> {
  const { host, port } = address
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(listenError(error, address, settings))
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve()
    })
  })
  const notices = new MinuteNotices(guarded(logger), systemClock)
  // The system is out of file handles or memory, for example. Without a listener this event ends the process.
  server.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    const reason = code ?? message
    notices.note(reason, (count) => `${count} connection(s) could not be accepted: ${reason}`)
  })
  return urlOf(server, host)
}

/** Why nothing can listen there, as one line. */
function listenError(
  error: NodeJS.ErrnoException,
  { host, port }: ListenAddress,
  settings: ListenSettings,
): Error {
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `the port is in use; stop what uses it, or choose another with ${settings.port}`,
    EACCES: `the port is not allowed to you; choose one above 1023 with ${settings.port}`,
    EADDRNOTAVAIL: `this machine has no such address; choose another with ${settings.host}`,
    ENOTFOUND: `there is no such host; choose another with ${settings.host}`,
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause: error })
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach } from '@jest/globals'
import { Arrivals } from '../browser/arrivals.js'
import type { Certificate, SdkProgram } from './sdk-programs.js'

export interface RunningSdk {
  /** Has the program do these lines. */
  do(...lines: readonly string[]): void
  /** Waits as long as the program runs. @throws what it wrote to standard error, where it failed */
  waitFor<T>(happening: Promise<T>): Promise<T>
  /** Ends the program's input, and waits until it has ended by itself. @throws as waitFor does */
  close(): Promise<void>
  /** Ends the program at once. */
  kill(): void
  /** What the SDK reported to its application, in the words of the SDK. */
  readonly errors: Arrivals<string>
}

export interface SdkTarget {
  readonly url: string
  readonly writeKey: string
  /** What a server that speaks TLS proves itself with. */
  readonly certificate?: Certificate | undefined
}

const running = new Map<ChildProcess, { readonly log: () => string }>()

afterEach(() => {
  for (const [child, { log }] of running) {
    child.kill('SIGKILL')
    console.error(`Still running at the end of its test: ${child.spawnargs.join(' ')}\n${log()}`)
  }
  running.clear()
})

/** Of half an hour's offset, so that times in the zone of the server do not look like UTC. */
const TIME_ZONE = 'America/St_Johns'

/** The Ruby SDK logs to standard output too. */
const ERROR = 'error: '

/** Runs the program of an SDK until it is closed, or the test is over. */
export function startSdk(sdk: SdkProgram, { url, writeKey, certificate }: SdkTarget): RunningSdk {
  const [command = '', ...args] = [...sdk.command(certificate), url, writeKey, ...sdk.options]
  const { PATH, RUBYLIB, PHP_AUTOLOAD } = process.env
  // Proxies of the environment would be used for this host too.
  const env = { PATH, RUBYLIB, PHP_AUTOLOAD, TZ: TIME_ZONE, LANG: 'C.UTF-8', NO_PROXY: '*' }
  const child = spawn(command, args, { env })
  const errors = new Arrivals<string>()
  let log = ''
  let rest = ''
  running.set(child, { log: () => [...errors.all, log].join('\n') })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith(ERROR)) errors.add(line.slice(ERROR.length))
  })
  // A program that has ended reads no more: `ended` says why.
  child.stdin.on('error', () => {})
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    if (code !== 0) throw new Error(`The ${sdk.name} program ended with ${code}:\n${log}`)
  })
  ended.catch(() => {})
  return {
    errors,
    do: (...lines) => void child.stdin.write(lines.map((line) => `${line}\n`).join('')),
    waitFor(happening) {
      const early = ended.then(() => {
        throw new Error(`The ${sdk.name} program ended too early:\n${log}`)
      })
      early.catch(() => {})
      return Promise.race([happening, early])
    },
    kill() {
      running.delete(child)
      child.kill('SIGKILL')
    },
    async close() {
      child.stdin.end()
      await ended
    },
  }
}

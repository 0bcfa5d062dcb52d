import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Usage } from './parts/commands.js'
import { builtFile } from './places.js'

/** Names of the programs in `parts/`. */
export type PartName =
  | 'aggregation'
  | 'bomber'
  | 'firehose'
  | 'floor'
  | 'importer'
  | 'load'
  | 'middleware'
  | 'plain'
  | 'stub'
  | 'tracker'
  | 'witness'

export interface StartOptions {
  readonly script: string
  readonly args?: readonly string[]
  readonly execArgv?: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

interface Answer {
  readonly id?: number
  readonly result?: unknown
  readonly error?: string
  readonly ready?: unknown
}

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000', AWS_SECRET_ACCESS_KEY: 'secret' }

/** The number of what is said unasked: questions are numbered from 1. */
const READY = 0

/** A process of its own that does what it is asked. */
export class Part {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
  #questions = 0
  #stderr = ''

  constructor({ script, args = [], execArgv = [], cwd, env = {} }: StartOptions) {
    const { PATH = '' } = process.env
    this.#child = fork(script, [...args], {
      execArgv: [...execArgv],
      env: { PATH, ...KEYS, AWS_REGION: 'us-west-2', ...env },
      silent: true,
      ...(cwd !== undefined && { cwd }),
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-2_000)
    })
    this.#child.on('message', (answer: Answer) => this.#take(answer))
    this.#child.on('exit', () => this.#failAll())
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** What it says when it is ready. */
  async ready<T>(): Promise<T> {
    const { promise, resolve, reject } = withResolvers<T>()
    this.#waiting.set(READY, { resolve, reject })
    return promise
  }

  /** The first match of `pattern` in what it prints. */
  async prints(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = withResolvers<string>()
    this.#waiting.set(READY, { resolve, reject })
    let printed = ''
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk
      const [, found] = pattern.exec(printed) ?? []
      if (found !== undefined) this.#take({ ready: found })
    })
    return promise
  }

  ask<T>(command: string, input?: unknown): Promise<T> {
    const id = ++this.#questions
    const { promise, resolve, reject } = withResolvers<T>()
    this.#waiting.set(id, { resolve, reject })
    this.#child.send({ id, command, input })
    return promise
  }

  usage(): Promise<Usage> {
    return this.ask('usage')
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  #take({ id = READY, result, ready, error }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve((id === READY ? ready : result) as never)
    else waiting?.reject(new Error(error))
  }

  #failAll(): void {
    const error = new Error(`A part of the bench has ended: ${this.#stderr}`)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

/** Starts one of `parts/`. @returns with it what it said when it was ready */
export async function startPart<T>(name: PartName, options: object): Promise<{ part: Part; ready: T }> {
  const part = new Part({ script: builtFile(`parts/${name}.js`), args: [JSON.stringify(options)] })
  return { part, ready: await part.ready<T>() }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((done, failed) => {
    resolve = done
    reject = failed
  })
  return { promise, resolve, reject }
}

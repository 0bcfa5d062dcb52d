import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** Work that cannot be cancelled, and a way to be rid of it all the same. */
export interface Abandonable<T> {
  readonly result: Promise<T>
  /** Destroys the sockets and kills the child processes that the work has opened, and those it still opens. */
  abandon(): void
}

/** What one piece of work has opened. */
class Opened {
  readonly #closes: (() => void)[] = []
  #isAbandoned = false

  add(close: () => void): void {
    // Not at once: Node.js announces a socket before it connects, which would bring it back to life.
    if (this.#isAbandoned) process.nextTick(close)
    else this.#closes.push(close)
  }

  abandon(): void {
    this.#isAbandoned = true
    for (const close of this.#closes.splice(0)) close()
  }
}

/** How long something abandoned is watched for what it still opens: the SDK's provider for containers tries four times. */
const LINGER_MS = 30_000

const current = new AsyncLocalStorage<Opened>()
let watched = 0
let isSubscribed = false

/**
 * Runs code of the AWS SDK that takes no signal: its provider for containers has no time-out, and a `credential_process`
 * has none either. Each that hangs would keep a socket or a process for good. Node.js announces both when they are made,
 * in the context of whoever makes them.
 */
export function abandonable<T>(work: () => Promise<T>): Abandonable<T> {
  subscribeOnce()
  const opened = new Opened()
  const unwatch = watch()
  const result = current.run(opened, work).finally(unwatch)
  const abandon = () => {
    opened.abandon()
    // What never ends would be watched for good.
    setTimeout(unwatch, LINGER_MS).unref()
  }
  return { result, abandon }
}

/** @returns how to end it */
function watch(): () => void {
  let isWatched = true
  watched++
  return () => {
    if (!isWatched) return
    isWatched = false
    // While it is in use each promise of the process costs more, in Node.js 20 and 22.
    if (--watched === 0) current.disable()
  }
}

function subscribeOnce(): void {
  if (isSubscribed) return
  isSubscribed = true
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { socket: Socket }
    current.getStore()?.add(() => socket.destroy())
  })
  subscribe('child_process', (message) => {
    const { process: child } = message as { process: ChildProcess }
    current.getStore()?.add(() => end(child))
  })
}

/** Closes the pipes too: a process that the child has started may hold them open. */
function end(child: ChildProcess): void {
  for (const pid of descendantsOf(child.pid)) kill(pid)
  child.kill('SIGKILL')
  child.stdout?.destroy()
  child.stderr?.destroy()
}

/** The SDK runs a `credential_process` in a shell, which starts others. Linux alone names them. */
function descendantsOf(pid: number | undefined): number[] {
  if (process.platform !== 'linux' || pid === undefined) return []
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    return children.map(Number).flatMap((child) => [child, ...descendantsOf(child)])
  } catch {
    return []
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

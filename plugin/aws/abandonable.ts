import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
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
    if (this.#isAbandoned) close()
    else this.#closes.push(close)
  }

  abandon(): void {
    this.#isAbandoned = true
    for (const close of this.#closes.splice(0)) close()
  }
}

const current = new AsyncLocalStorage<Opened>()
let running = 0
let isSubscribed = false

/**
 * Runs code of the AWS SDK that takes no signal: its provider for containers has no time-out, and a `credential_process`
 * has none either. Each that hangs would keep a socket or a process for good. Node.js announces both when they are made,
 * in the context of whoever makes them.
 */
export function abandonable<T>(work: () => Promise<T>): Abandonable<T> {
  subscribeOnce()
  const opened = new Opened()
  running++
  const result = current.run(opened, work).finally(() => {
    // While it is in use each promise of the process costs more, in Node.js 20 and 22.
    if (--running === 0) current.disable()
  })
  return { result, abandon: () => opened.abandon() }
}

function subscribeOnce(): void {
  if (isSubscribed) return
  isSubscribed = true
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { socket: Socket }
    current.getStore()?.add(() => socket.destroy())
  })
  subscribe('child_process', (message) => {
    const { process } = message as { process: ChildProcess }
    current.getStore()?.add(() => end(process))
  })
}

/** Closes the pipes too: a process that the child has started may hold them open. */
function end(child: ChildProcess): void {
  child.kill('SIGKILL')
  child.stdout?.destroy()
  child.stderr?.destroy()
}

// Loaded by each process that is measured, before its program: notes the longest turns of its event loop.
import { appendFileSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import type { Turn } from '../turns.js'

/** Shorter turns are not noted. */
const LEAST_MS = 5
const EVERY_MS = 2
/** What the kernel counts of the main thread. The first number is how long it ran, in ns. */
const CLOCK = `/proc/self/task/${process.pid}/schedstat`

if (isMainThread) {
  let at = performance.now()
  let cpuMs = threadMs()
  setInterval(() => {
    const now = performance.now()
    const wallMs = now - at
    at = now
    const before = cpuMs
    cpuMs = threadMs()
    if (wallMs < LEAST_MS) return
    const turn: Turn = { at: Date.now(), wallMs, cpuMs: cpuMs - before }
    appendFileSync(`turns-${process.pid}.ndjson`, `${JSON.stringify(turn)}\n`)
  }, EVERY_MS).unref()
}

function threadMs(): number {
  return Number(readFileSync(CLOCK, 'latin1').split(' ', 1)[0]) / 1e6
}

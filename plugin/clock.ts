/** Time and chance, handed in so that tests can hold them still. */
export interface Clock {
  /** Milliseconds that only ever grow, for waits and deadlines. */
  now(): number
  /** Milliseconds since 1970, for what others date. */
  wallTime(): number
  /** From 0 to below 1. */
  random(): number
  /** Calls back after `ms`; does not keep the process alive. Returns how to cancel. */
  after(ms: number, callback: () => void): () => void
  /** Calls back when what is going on in this turn of the event loop is done. */
  defer(callback: () => void): void
  /** Keeps the process alive until the returned function is called. */
  hold(): () => void
}

/** The longest a Node timer can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  random: () => Math.random(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS)).unref()
    return () => clearTimeout(timer)
  },
  defer(callback) {
    setImmediate(callback)
  },
  hold() {
    const timer = setInterval(() => {}, LONGEST_TIMER_MS)
    return () => clearInterval(timer)
  },
}

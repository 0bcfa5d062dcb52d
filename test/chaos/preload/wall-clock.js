let offsetMs = 0

export function jumpTo(ms) {
  offsetMs = ms
}

export function jumpBy(ms) {
  offsetMs += ms
}

/** What tells the time of day is off by what was ordered; `performance.now()` and timers go on, as on a real machine. */
export function patchWallClock() {
  const RealDate = globalThis.Date
  const realNow = RealDate.now
  const now = () => realNow() + offsetMs
  RealDate.now = now
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (_target, args, newTarget) =>
      Reflect.construct(
        RealDate,
        args.length === 0 ? [now()] : args,
        newTarget === globalThis.Date ? RealDate : newTarget,
      ),
  })
}

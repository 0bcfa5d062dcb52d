// Loaded by `--import` into the served process, ahead of all else: its clock and its disk then obey the test.
import { readFileSync } from 'node:fs'
import { patchDisk, strikeAt } from './disk.js'
import { jumpTo, patchWallClock } from './wall-clock.js'

function obey() {
  const { clockOffsetMs, at, bug } = JSON.parse(readFileSync(process.env['CHAOS_ORDERS'], 'utf8'))
  jumpTo(clockOffsetMs)
  strikeAt(at, bug)
}

patchWallClock()
await patchDisk()
obey()
process.on('SIGUSR2', obey)

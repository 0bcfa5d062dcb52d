import disk from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { jumpBy } from './wall-clock.js'

const TEMPORARY = /\.ndjson\.tmp-/
const SPILLED = /\.ndjson$/
const CLAIMED = /\.ndjson\.claimed-/
const DEAD_LETTERS = /dead-letters.*\.ndjson$/
const SPILL = /\/spill$/

/** What happens at the n-th step of a name from now on. */
let order
let bug
let steps = 0

export function strikeAt(at, plantedBug) {
  order = at
  bug = plantedBug
  steps = 0
}

function strike({ step, when, nth, jumpMs }) {
  order = undefined
  if (jumpMs === undefined) process.kill(process.pid, 'SIGKILL')
  jumpBy(jumpMs)
  process.stderr.write(`The clock jumped by ${jumpMs} ms ${when} ${step} ${nth}\n`)
}

/** Does a step, and what was ordered before, within or after it. */
async function taken(step, act, actHalf) {
  if (order?.step !== step || ++steps !== order.nth) return act()
  const at = order
  if (at.when === 'within') await actHalf()
  if (at.when !== 'after') strike(at)
  const result = await act()
  if (at.when === 'after') strike(at)
  return result
}

/** Patches what the spill and the dead letters do to the disk; all else is let through. */
export async function patchDisk() {
  patchNames()
  await patchFiles(patchOpen())
  // Those who import the functions by their names get these.
  syncBuiltinESMExports()
}

function patchNames() {
  const { rename, unlink } = disk
  disk.rename = (from, to) => {
    const act = () => rename(from, to)
    if (TEMPORARY.test(from) && SPILLED.test(to)) return taken('rename', act)
    if (CLAIMED.test(to)) return taken('claim', act)
    if (!CLAIMED.test(from) || !SPILLED.test(to)) return act()
    return taken('give back', bug === 'drops on retry' ? () => unlink(from) : act)
  }
  disk.unlink = (path) => (CLAIMED.test(path) ? taken('delete', () => unlink(path)) : unlink(path))
}

/** @returns the path of a file that is open */
function patchOpen() {
  const { open } = disk
  const paths = new WeakMap()
  disk.open = async (path, ...rest) => {
    const file = await open(path, ...rest)
    paths.set(file, String(path))
    return file
  }
  return (file) => paths.get(file) ?? ''
}

async function patchFiles(pathOf) {
  const prototype = await prototypeOfFiles()
  const { readFile, writeFile, write, sync } = prototype
  prototype.readFile = function (options) {
    const act = () => readFile.call(this, options)
    return CLAIMED.test(pathOf(this)) ? taken('read', act) : act()
  }
  prototype.writeFile = function (bytes) {
    const act = () => writeFile.call(this, bytes)
    if (!TEMPORARY.test(pathOf(this))) return act()
    if (bug === 'acks before durable') return Promise.resolve()
    return taken('write', act, () => writeFile.call(this, bytes.subarray(0, bytes.length / 2)))
  }
  prototype.write = function (bytes, ...rest) {
    const act = () => write.call(this, bytes, ...rest)
    if (!DEAD_LETTERS.test(pathOf(this))) return act()
    return taken('write of dead letters', act, () => write.call(this, bytes.subarray(0, bytes.length / 2)))
  }
  prototype.sync = function () {
    const act = () => sync.call(this)
    const path = pathOf(this)
    if (TEMPORARY.test(path)) return taken('fsync', act)
    if (SPILL.test(path)) return taken('fsync of the directory', act)
    return DEAD_LETTERS.test(path) ? taken('fsync of dead letters', act) : act()
  }
}

/** The class is exported by nobody. */
async function prototypeOfFiles() {
  const file = await disk.open(process.execPath)
  await file.close()
  return Object.getPrototypeOf(file)
}

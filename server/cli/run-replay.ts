import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { systemClock } from '../../plugin/clock.js'
import type { ServeConfiguration } from '../config/configuration.js'
import type { SourceConfiguration } from '../config/source-configuration.js'
import { type InputFile, inputFiles, type PassedOver } from '../replay/input-files.js'
import { Planner, type Selection } from '../replay/plan.js'
import { ProgressFile } from '../replay/progress-file.js'
import { type ReplayResult, replay } from '../replay/replay.js'
import { ReplayLock } from '../replay/replay-lock.js'
import { Sender } from '../replay/sender.js'
import { servedSpill } from '../replay/served-spill.js'
import type { Tally } from '../replay/tally.js'
import type { SignalSource } from '../shutdown.js'
import { CommandError } from './command-error.js'
import { inputFolder } from './input-folder.js'
import { loadConfig } from './load-config.js'
import { createLog, type Log } from './log.js'
import { logNodeWarnings } from './node-warnings.js'
import { ReplayDisplay } from './replay-display.js'
import type { ReplayFlags } from './replay-flags.js'
import { report, summary } from './replay-summary.js'
import type { Terminal } from './terminal.js'

/** No sender waits for an answer: a record may be tried for longer than in the proxy. */
const DELIVERY_TIMEOUT_MS = 30_000

/** What the command `replay` does. */
export async function runReplay(flags: ReplayFlags, terminal: Terminal): Promise<void> {
  let writeLine = terminal.err
  const log = createLog({ level: 'warn', format: 'text', write: (line) => writeLine(line) })
  logNodeWarnings(log)
  // Nobody's write key is needed for this.
  const context = { env: terminal.env, mayBeUnset: ['writeKey'], logger: log }
  const configuration = await loadConfig(flags.config, context)
  const selection = selectionOf(flags, configuration.sources)
  const { signal, exitCode } = interruption(terminal.signals, () => {
    writeLine('Stopping when what is under way has arrived; once more to exit at once')
  })
  const from = await inputFolder(flags, configuration, { signal, exitCode, terminal, log })
  const { files, unreadable } = await filesIn(from, flags, log)
  const path = await progressPath(from, flags, selection)
  const display = new ReplayDisplay(terminal, systemClock, bytesOf(files))
  writeLine = (line) => display.line(line)
  const dryRun = flags.dryRun === true
  const work = async (sender?: Sender) =>
    replay({
      files,
      unreadable,
      planner: new Planner(patientSources(configuration), selection),
      progress: await ProgressFile.load(path),
      sender,
      rate: flags.rate,
      signal,
      clock: systemClock,
      logger: log,
      onProgress: (tally, bytesRead) => display.update(tally, bytesRead),
    })
  const sending = dryRun ? work() : alone(path, files, configuration, work)
  const result = await sending.finally(() => display.end())
  for (const line of summary(result.tally, dryRun)) terminal.out(line)
  report(result, dryRun, exitCode())
  if (!dryRun && result.tally.sent > 0) terminal.err(whatIsLeftToDo(result.tally, files))
}

/** Sends where nobody else sends the same. */
async function alone(
  path: string,
  files: readonly InputFile[],
  { maxClients }: ServeConfiguration,
  work: (sender: Sender) => Promise<ReplayResult>,
): Promise<ReplayResult> {
  const served = await servedSpill(files, systemClock)
  if (served !== undefined) {
    throw new CommandError([
      `--from: ${served} is the spill of a process that runs, or was killed within the last 30 s, and sends this itself; stop it first, or move the files elsewhere`,
    ])
  }
  const lock = await ReplayLock.take(`${path}.lock`, systemClock)
  const sender = new Sender({ maxClients, clock: systemClock })
  try {
    return await work(sender)
  } finally {
    await sender.close()
    await lock.release()
  }
}

function bytesOf(files: readonly InputFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}

/** When all that was selected has arrived. */
function whatIsLeftToDo({ skips }: Tally, files: readonly InputFile[]): string {
  if (skips > 0) return 'All that was selected has arrived. The next replay sends it again'
  if (files.some(isOfSpill))
    return 'All has arrived. Remove these files of the spill: what serves it sends them again'
  return 'All has arrived. Remove these files, or the next replay sends them again'
}

function isOfSpill({ stream }: InputFile): boolean {
  return stream !== undefined
}

function selectionOf(flags: ReplayFlags, sources: readonly SourceConfiguration[]): Selection {
  const { stream, since, until, to, source } = flags
  if (since !== undefined && until !== undefined && since >= until)
    throw new CommandError(['--until: is not after --since, so nothing is between them'])
  if (source === undefined) return { stream, since, until, to }
  const found = sources.find(({ id }) => id === source) ?? sources.find(({ name }) => name === source)
  if (found !== undefined) return { stream, since, until, to, source: found.id }
  // SECURITY: by their names; an ID is an external ID.
  const names = sources.map(({ name }) => name).join(', ')
  throw new CommandError([`--source: no source of the config file has this ID or name; there is ${names}`])
}

/** Lines of which it is logged what is wrong, as a folder may be full of such entries. */
const MAX_NAMED = 20

async function filesIn(from: string, flags: ReplayFlags, log: Log) {
  let unreadable = 0
  let named = 0
  const passOver = ({ name, why, isUnreadable }: PassedOver) => {
    if (isUnreadable) unreadable++
    named++
    if (named <= MAX_NAMED) log.warn(`${name}: passed over, as ${why}`)
    if (named === MAX_NAMED) log.warn('More of these are not named')
  }
  try {
    return { files: await inputFiles(from, passOver), unreadable }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = `${from} cannot be read: ${code === 'ENOENT' ? 'there is no such file or folder' : message}`
    if (flags.from !== undefined) throw new CommandError([`--from: ${why}`])
    const hint = code === 'ENOENT' ? ', so there are no dead letters; name other files with --from' : ''
    throw new CommandError([`deadLetters: ${why}${hint}`])
  }
}

function patientSources({ sources }: ServeConfiguration): SourceConfiguration[] {
  return sources.map((source) => ({
    ...source,
    destinations: source.destinations.map((destination) => ({
      ...destination,
      deliveryTimeout: Math.max(destination.deliveryTimeout, DELIVERY_TIMEOUT_MS),
    })),
  }))
}

/** Beside the input; one for each selection, as what one has settled another may have left out. */
async function progressPath(from: string, { config }: ReplayFlags, selection: Selection): Promise<string> {
  const { stream, since, until, to, source } = selection
  const options = JSON.stringify([resolve(config), resolve(from), stream, since, until, to, source])
  const digest = createHash('sha256').update(options).digest('hex').slice(0, 16)
  const folder = (await stat(from)).isDirectory() ? from : dirname(from)
  return join(resolve(folder), `.replay-${digest}.json`)
}

/** The first signal stops in order, the second at once. */
function interruption(signals: SignalSource, onFirst: () => void) {
  const controller = new AbortController()
  let exitCode = 0
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    signals.on(name, () => {
      if (controller.signal.aborted) return signals.exit(128 + constants.signals[name])
      exitCode = 128 + constants.signals[name]
      controller.abort()
      onFirst()
    })
  }
  return { signal: controller.signal, exitCode: () => exitCode }
}

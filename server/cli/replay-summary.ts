import type { ReplayResult } from '../replay/replay.js'
import type { Tally } from '../replay/tally.js'
import { CommandError } from './command-error.js'

/** What became of all, a line each. */
export function summary(tally: Tally, dryRun: boolean): string[] {
  const counted = (counts: ReadonlyMap<string, number>) =>
    [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
  const detail = (counts: ReadonlyMap<string, number>) => (counts.size === 0 ? '' : ` (${counted(counts)})`)
  const lines = [`Read: ${tally.read} from ${tally.files} file(s)`]
  if (dryRun) {
    lines.push(`Would be sent: ${tally.sent}`)
    for (const [way, count] of tally.records) lines.push(`  ${way}: ${count}`)
  } else lines.push(`Sent: ${tally.sent}`, `Delivered: ${tally.delivered}`)
  lines.push(`Skipped: ${tally.skips}${detail(tally.skipped)}`)
  lines.push(`Failed: ${tally.failures}${detail(tally.failed)}`)
  return lines
}

/** @throws CommandError unless all that was selected has arrived */
export function report({ tally, ended }: ReplayResult, dryRun: boolean, exitCode: number): void {
  const again = 'the same command goes on with what has not arrived'
  if (dryRun && ended === 'done' && tally.failures > 0)
    throw new CommandError([`${tally.failures} could not be sent, for what is told above`])
  if (ended === 'interrupted') throw new CommandError([`interrupted; ${again}`], { exitCode })
  if (ended === 'too many failures')
    throw new CommandError([`stopped, as too much fails; mend that, then ${again}`])
  if (tally.failures > 0)
    throw new CommandError([`${tally.failures} did not arrive; mend what is told above, then ${again}`])
}

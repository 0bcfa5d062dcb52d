#!/usr/bin/env node
import { run } from './cli/run.js'
import type { Terminal } from './cli/terminal.js'

// A server must not die because its output cannot be written: the reader is gone, as with `head`, or the disk is full.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.stdout.once('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') return
  process.stderr.write(`error: stdout cannot be written (${code})\n`)
  process.once('exit', () => {
    process.exitCode = 1
  })
})

/** The signals that commands handle. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

const signals: Terminal['signals'] = {
  on: process.on.bind(process),
  off: process.off.bind(process),
  exit(code) {
    // Node waits for its threads as it exits, and one may be held up by a disk that hangs: the next signal ends it then.
    for (const signal of SIGNALS) process.removeAllListeners(signal)
    process.exit(code)
  },
}

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  signals,
  isInteractive: process.stderr.isTTY === true,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  // ANSI's "erase in line".
  rewrite: (text) => process.stderr.write(`\r\u001b[2K${text}`),
})

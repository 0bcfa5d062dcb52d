#!/usr/bin/env node
import { run } from './cli/run.js'
import type { Terminal } from './cli/terminal.js'

// Whoever reads the output may stop reading, as `head` does: that is no reason to die.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

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

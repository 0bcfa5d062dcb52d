#!/usr/bin/env node
import { run } from './cli/run.js'

// Whoever reads the output may stop reading, as `head` does: that is no reason to die.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  signals: process,
  isInteractive: process.stderr.isTTY === true,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  // ANSI's "erase in line".
  rewrite: (text) => process.stderr.write(`\r\u001b[2K${text}`),
})

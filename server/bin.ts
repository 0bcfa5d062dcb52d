#!/usr/bin/env node
import { run } from './cli/run.js'

// A server must not die because its output cannot be written: the reader is gone, as with `head`, or the disk is full.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.stdout.once('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') return
  process.stderr.write(`error: stdout cannot be written (${code})\n`)
  process.once('exit', () => {
    process.exitCode = 1
  })
})

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  signals: process,
  isInteractive: process.stderr.isTTY === true,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  // ANSI's "erase in line".
  rewrite: (text) => process.stderr.write(`\r\u001b[2K${text}`),
})

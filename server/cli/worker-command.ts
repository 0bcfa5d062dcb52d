import cluster from 'node:cluster'
import { Command } from 'commander'
import { CommandError } from './command-error.js'
import { ServeWorker } from './serve-worker.js'
import type { Terminal } from './terminal.js'
import { WORKER_COMMAND } from './worker-command-name.js'

/** What `serve --workers` starts. */
export function workerCommand(terminal: Terminal): Command {
  return new Command(WORKER_COMMAND)
    .description('One of the processes of `serve --workers`, which starts them.')
    .action(() => runWorker(terminal))
}

function runWorker(terminal: Terminal): void {
  const { worker } = cluster
  if (worker === undefined) {
    throw new CommandError([`${WORKER_COMMAND} is started by \`serve --workers\`; start that`])
  }
  new ServeWorker(
    {
      send: (message, onSent) => worker.send(message, onSent),
      onMessage: (listener) => worker.on('message', listener),
      onOrphaned: (listener) => {
        worker.on('disconnect', () => {
          // Else Node ends the process when this returns.
          worker.exitedAfterDisconnect = true
          listener()
        })
      },
    },
    terminal,
  )
}

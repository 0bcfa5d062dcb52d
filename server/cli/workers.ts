import cluster from 'node:cluster'
import { systemClock } from '../../plugin/clock.js'
import { tellFixed } from '../firehose-proxy.js'
import { processUsage } from '../metrics/measures.js'
import { tellShare } from '../worker-share.js'
import { DuplicateMemory } from './duplicate-memory.js'
import type { Log } from './log.js'
import type { Serving } from './serve-here.js'
import type { Adapt, Served } from './served-configuration.js'
import { WORKER_COMMAND } from './worker-command-name.js'
import { WorkerGroup, type WorkerGroupOptions } from './worker-group.js'
import type { WorkerProcess } from './worker-handle.js'

export interface WorkersOptions {
  readonly count: number
  readonly task: WorkerGroupOptions['task']
  /** What is served at the start, not yet shared out. */
  readonly served: Served
  readonly adapt: Adapt
  readonly log: Log
}

/** Serves by several processes that share the port, and resolves when all listen. @throws CommandError */
export async function serveByWorkers(options: WorkersOptions): Promise<Serving> {
  const { count, task, served, adapt, log } = options
  tellShare(served.maxBufferedBytes, count, log)
  cluster.setupPrimary({ args: [WORKER_COMMAND] })
  const memory = new DuplicateMemory(served.sources, systemClock)
  const answer: WorkerGroupOptions['answer'] = (questions) => memory.answer(questions)
  const group = new WorkerGroup({ count, task, answer, fork, clock: systemClock, logger: log })
  const url = await group.start()
  return {
    server: { url, close: (how) => group.close(how) },
    take: ({ configuration, text }) => {
      tellFixed(served, adapt(configuration), log)
      memory.reconfigure(configuration.sources)
      return group.reconfigure(text)
    },
    measure: async () => ({ ...(await group.measure()), primary: await processUsage(systemClock) }),
    failed: group.failed,
  }
}

function fork(): WorkerProcess {
  const worker = cluster.fork()
  return {
    pid: worker.process.pid,
    send: (message) => {
      worker.send(message, () => {})
    },
    // And not `worker.kill`, which waits for the worker to disconnect.
    kill: () => {
      worker.process.kill('SIGKILL')
    },
    onMessage: (listener) => worker.on('message', listener),
    onExit: (listener) => {
      worker.once('exit', (code, signal) => listener({ code, signal }))
      // A process that could not be made does not exit.
      worker.on('error', () => {
        if (worker.process.pid === undefined) listener({ code: null, signal: null })
      })
    },
  }
}

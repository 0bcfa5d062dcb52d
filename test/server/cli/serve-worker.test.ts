import { memoryUsage } from 'node:process'
import { describe, expect, it, jest } from '@jest/globals'
import { ServeWorker } from '../../../server/cli/serve-worker.js'
import type { FromWorker, ToWorker, WorkerTask } from '../../../server/cli/worker-messages.js'

const TASK: WorkerTask = {
  workers: 1,
  host: '127.0.0.1',
  port: 0,
  config: undefined,
  localAws: undefined,
  logLevel: 'silent',
  logFormat: 'json',
}

/** A worker in this process, and what it tells its primary. */
function harness() {
  let hear: (message: ToWorker) => void = () => {}
  const waiting = new Map<string, (message: FromWorker) => void>()
  const channel = {
    send: (message: FromWorker, onSent: () => void) => {
      waiting.get(message.kind)?.(message)
      onSent()
    },
    onMessage: (listener: (message: ToWorker) => void) => {
      hear = listener
    },
    onOrphaned: () => {},
  }
  const signals = { on: () => {}, off: () => {}, exit: () => {} }
  new ServeWorker(channel, {
    out: () => {},
    err: () => {},
    env: {},
    isInteractive: false,
    rewrite: () => {},
    signals,
  })
  return async (message: ToWorker, answer: FromWorker['kind']) => {
    const answered = new Promise<FromWorker>((resolve) => waiting.set(answer, resolve))
    hear(message)
    return answered
  }
}

describe('a worker', () => {
  it('outlives a question for its measures that it cannot answer, and says so', async () => {
    const ask = harness()
    await ask({ kind: 'start', task: TASK }, 'listening')
    const rss = jest.spyOn(memoryUsage, 'rss').mockImplementation(() => {
      throw new Error('EMFILE: too many open files, uv_resident_set_memory')
    })
    try {
      expect(await ask({ kind: 'measure' }, 'measured')).toEqual({ kind: 'measured', measures: undefined })
    } finally {
      rss.mockRestore()
    }
    expect(await ask({ kind: 'measure' }, 'measured')).toMatchObject({
      measures: { stats: { requests: {} } },
    })
    await ask({ kind: 'close', timeoutMs: 1_000 }, 'closed')
  })
})

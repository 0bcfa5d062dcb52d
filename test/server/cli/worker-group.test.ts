import { describe, expect, it } from '@jest/globals'
import type { Exit } from '../../../server/cli/worker-end.js'
import { WorkerGroup, type WorkerGroupOptions } from '../../../server/cli/worker-group.js'
import type { WorkerProcess } from '../../../server/cli/worker-handle.js'
import type { FromWorker, ToWorker } from '../../../server/cli/worker-messages.js'
import { FakeClock } from '../../fake-clock.js'
import { measures } from '../metrics/measured.js'

const URL = 'http://127.0.0.1:1234'
const SIGKILL: Exit = { code: null, signal: 'SIGKILL' }
const DELIVERED = { Website: { everything: { delivered: 2, spilled: 1, failed: 0 } } }

/** A process that does nothing by itself. */
class FakeProcess implements WorkerProcess {
  readonly pid: number
  readonly heard: ToWorker[] = []
  #tell: (message: FromWorker) => void = () => {}
  #exit: (how: Exit) => void = () => {}

  constructor(pid: number) {
    this.pid = pid
  }

  send(message: ToWorker): void {
    this.heard.push(message)
  }

  kill(): void {
    this.ends(SIGKILL)
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#tell = listener
  }

  onExit(listener: (how: Exit) => void): void {
    this.#exit = listener
  }

  says(message: FromWorker): void {
    this.#tell(message)
  }

  ends(how: Exit): void {
    this.#exit(how)
  }

  listens(url = URL): void {
    this.says({ kind: 'ready' })
    this.says({ kind: 'listening', url })
  }

  closes(): void {
    this.says({ kind: 'closed', report: DELIVERED })
    this.ends({ code: 0, signal: null })
  }
}

function harness(count = 2, { answer }: Partial<WorkerGroupOptions> = {}) {
  const forked: FakeProcess[] = []
  const logged: string[] = []
  const log = (message: string) => void logged.push(message)
  const clock = new FakeClock()
  const system = { isFull: false }
  const group = new WorkerGroup({
    count,
    fork: () => {
      if (system.isFull) throw new Error('spawn ENOMEM')
      const process = new FakeProcess(100 + forked.length)
      forked.push(process)
      return process
    },
    task: {
      host: '127.0.0.1',
      port: 0,
      config: 'first',
      localAws: undefined,
      logLevel: 'info',
      logFormat: 'json',
    },
    answer: answer ?? (async (questions) => questions.map(({ ids }) => ids)),
    clock,
    logger: { info: log, warn: log, error: log },
  })
  const worker = (index: number) => forked[index] as FakeProcess
  const started = async () => {
    const start = group.start()
    for (const process of forked) process.listens()
    await start
  }
  return { group, clock, system, forked, logged, worker, started }
}

describe('a group of workers', () => {
  it('has started when all listen, each with a task of its own', async () => {
    const { group, clock, worker } = harness()
    let url: string | undefined
    void group.start().then((it) => {
      url = it
    })
    worker(0).listens()
    await clock.settle()
    expect(url).toBeUndefined()
    worker(1).listens()
    await clock.settle()
    expect(url).toBe(URL)
    expect([worker(0), worker(1)].map(({ heard }) => heard)).toMatchObject([
      [{ kind: 'start', task: { workers: 2, config: 'first' } }],
      [{ kind: 'start', task: { workers: 2, config: 'first' } }],
    ])
    expect(clock.holds).toBe(1)
  })

  it('does not start where one says that it cannot serve: then none is left', async () => {
    const { group, clock, worker } = harness()
    const start = group.start()
    worker(0).listens()
    worker(1).says({ kind: 'failed', lines: ['the port is in use'] })
    worker(1).ends({ code: 1, signal: null })
    await expect(start).rejects.toThrow(/^the port is in use$/)
    await clock.advance(60_000)
    expect([clock.holds, clock.timers]).toEqual([0, 0])
  })

  it('replaces one that ends, with the configuration of now', async () => {
    const { group, clock, forked, logged, worker, started } = harness()
    await started()
    const reconfigured = group.reconfigure('second')
    worker(0).says({ kind: 'reconfigured' })
    worker(1).ends(SIGKILL)
    await reconfigured
    await clock.advance(99)
    expect(forked).toHaveLength(2)
    await clock.advance(1)
    worker(2).listens()
    expect(worker(2).heard).toMatchObject([{ kind: 'start', task: { config: 'second' } }])
    expect(logged).toEqual([
      'Worker process 101 was ended by SIGKILL; another takes its place in 100 ms; the sums at the end leave out what it had delivered',
    ])
  })

  it('has taken up a configuration when each worker has', async () => {
    const { group, clock, worker, started } = harness()
    await started()
    let isDone = false
    void group.reconfigure('second').then(() => {
      isDone = true
    })
    worker(1).says({ kind: 'reconfigured' })
    await clock.settle()
    expect(isDone).toBe(false)
    worker(0).says({ kind: 'reconfigured' })
    await clock.settle()
    expect(isDone).toBe(true)
    expect(worker(0).heard.at(-1)).toEqual({ kind: 'reconfigure', config: 'second' })
    expect(clock.timers).toBe(0)
  })

  it('waits 5 s for one that hangs to take up a configuration, and then says so and goes on', async () => {
    const { group, clock, logged, worker, started } = harness()
    await started()
    for (let i = 1; i <= 2; i++) {
      let isDone = false
      const reconfigured = group.reconfigure(`config ${i}`).then(() => {
        isDone = true
      })
      worker(0).says({ kind: 'reconfigured' })
      await clock.advance(4_999)
      expect(isDone).toBe(false)
      await clock.advance(1)
      await reconfigured
      expect(worker(0).heard.at(-1)).toEqual({ kind: 'reconfigure', config: `config ${i}` })
      expect(logged).toHaveLength(i)
    }
    expect(logged.at(-1)).toBe(
      'Worker process 101 has not taken up the configuration in 5000 ms; it gets the newest when it goes on',
    )
  })

  it('gives one that hung the newest configuration when it goes on, and none between', async () => {
    const { group, clock, worker, started } = harness(1)
    await started()
    const all = Promise.all(['second', 'third', 'fourth'].map((config) => group.reconfigure(config)))
    await clock.advance(5_000)
    await all
    const heard = () => worker(0).heard.flatMap((it) => (it.kind === 'reconfigure' ? it.config : []))
    expect(heard()).toEqual(['second'])
    worker(0).says({ kind: 'reconfigured' })
    expect(heard()).toEqual(['second', 'fourth'])
    const last = group.reconfigure('fifth')
    worker(0).says({ kind: 'reconfigured' })
    worker(0).says({ kind: 'reconfigured' })
    await last
    expect([heard(), clock.timers]).toEqual([['second', 'fourth', 'fifth'], 0])
  })

  it('replaces one that was asked to close by someone else, as often as that happens', async () => {
    const { group, clock, forked, worker, started } = harness(1)
    await started()
    for (let i = 0; i < 10; i++) {
      worker(i).closes()
      await clock.advance(0)
      worker(i + 1).listens()
    }
    expect(forked).toHaveLength(11)
    const closing = group.close({ timeout: 8_000 })
    worker(10).closes()
    expect(await closing).toEqual({ Website: { everything: { delivered: 22, spilled: 11, failed: 0 } } })
  })

  it('gives up where they end as soon as they began', async () => {
    const { group, clock, forked, worker, started } = harness()
    await started()
    let failure: Error | undefined
    void group.failed.then((error) => {
      failure = error
    })
    for (let i = 1; i < 7; i++) {
      expect(failure).toBeUndefined()
      worker(i).ends({ code: 7, signal: null })
      await clock.advance(10_000)
    }
    expect(failure?.message).toMatch(/^Worker process 106 ended with 7, as those before it/)
    expect(forked).toHaveLength(7)
    expect(worker(0).heard.at(-1)).toMatchObject({ kind: 'start' })
  })

  it('tries again to replace one where the system has run out of something', async () => {
    const { group, clock, system, forked, logged, worker, started } = harness()
    await started()
    worker(1).ends(SIGKILL)
    system.isFull = true
    await clock.advance(100)
    expect(forked).toHaveLength(2)
    expect(logged).toContain('A worker process cannot be started: spawn ENOMEM')
    system.isFull = false
    await clock.advance(1_000)
    worker(2).listens()
    expect(forked).toHaveLength(3)
    const closing = group.close({ timeout: 8_000 })
    for (const index of [0, 2]) worker(index).closes()
    await closing
  })

  it.each([[null], ['text'], [undefined], [7], [{}], [{ kind: 'other' }], [{ kind: 'duplicates' }]])(
    'outlives a message that none of ours is, such as a transform may send: %j',
    async (message) => {
      const answer = () => Promise.reject(new TypeError('questions is not iterable'))
      const { group, clock, worker, started } = harness(1, { answer })
      await started()
      expect(() => worker(0).says(message as unknown as FromWorker)).not.toThrow()
      await clock.settle()
      const closing = group.close({ timeout: 8_000 })
      worker(0).closes()
      await closing
    },
  )

  it('closes all, and sums up what they delivered', async () => {
    const { group, clock, worker, started } = harness()
    await started()
    const closing = group.close({ timeout: 8_000 })
    expect(group.close({ timeout: 1 })).toBe(closing)
    expect(worker(0).heard.at(-1)).toEqual({ kind: 'close', timeoutMs: 8_000 })
    worker(0).closes()
    worker(1).closes()
    expect(await closing).toEqual({ Website: { everything: { delivered: 4, spilled: 2, failed: 0 } } })
    expect([clock.holds, clock.timers]).toEqual([0, 0])
  })

  it('starts none while it closes, and has one that was not ready close', async () => {
    const { group, clock, forked, worker, started } = harness()
    await started()
    worker(0).ends(SIGKILL)
    await clock.advance(100)
    worker(1).ends(SIGKILL)
    await clock.settle()
    const closing = group.close({ timeout: 8_000 })
    worker(2).says({ kind: 'ready' })
    expect(worker(2).heard.at(-1)).toEqual({ kind: 'close', timeoutMs: 8_000 })
    worker(2).closes()
    await closing
    await clock.advance(60_000)
    expect(forked).toHaveLength(3)
  })

  it('kills one that does not close in time, and fails', async () => {
    const { group, clock, worker, started } = harness()
    await started()
    const closing = group.close({ timeout: 8_000 })
    const failed = expect(closing).rejects.toThrow('A worker was ended by SIGKILL before it had closed')
    worker(0).closes()
    await clock.advance(9_000)
    await failed
  })

  it('tells another port', async () => {
    const { clock, logged, worker, started } = harness(1)
    await started()
    worker(0).ends(SIGKILL)
    await clock.advance(100)
    worker(1).listens('http://127.0.0.1:5678')
    await clock.settle()
    expect(logged.at(-1)).toBe('Now listening on http://127.0.0.1:5678')
  })

  describe('asked for what it measures', () => {
    const MEASURE: ToWorker = { kind: 'measure' }

    it('has that of each worker', async () => {
      const { group, clock, worker, started } = harness()
      await started()
      const asked = group.measure()
      worker(1).says({ kind: 'measured', measures: measures(101) })
      worker(0).says({ kind: 'measured', measures: measures(100) })
      expect(await asked).toEqual({ workers: [measures(100), measures(101)], restarts: 0 })
      expect(clock.timers).toBe(0)
    })

    it('waits a second for one that hangs, and asks it only once', async () => {
      const { group, clock, worker, started } = harness()
      await started()
      for (let i = 0; i < 3; i++) {
        const asked = group.measure()
        worker(0).says({ kind: 'measured', measures: measures(100) })
        await clock.advance(1_000)
        expect(await asked).toEqual({ workers: [measures(100), undefined], restarts: 0 })
      }
      const heard = (index: number) => worker(index).heard.filter(({ kind }) => kind === 'measure')
      expect([heard(0), heard(1)]).toEqual([[MEASURE, MEASURE, MEASURE], [MEASURE]])
      worker(1).says({ kind: 'measured', measures: measures(101) })
      const asked = group.measure()
      expect(worker(1).heard.at(-1)).toEqual(MEASURE)
      worker(0).says({ kind: 'measured', measures: measures(100) })
      worker(1).says({ kind: 'measured', measures: measures(101) })
      expect((await asked).workers).toHaveLength(2)
    })

    it('does not wait for one that ends, or that does not listen yet, and counts who took a place', async () => {
      const { group, clock, worker, started } = harness()
      await started()
      const asked = group.measure()
      worker(0).says({ kind: 'measured', measures: measures(100) })
      worker(1).ends(SIGKILL)
      expect(await asked).toEqual({ workers: [measures(100), undefined], restarts: 0 })
      await clock.advance(100)
      worker(2).says({ kind: 'ready' })
      const again = group.measure()
      worker(0).says({ kind: 'measured', measures: measures(100) })
      expect(await again).toEqual({ workers: [measures(100), undefined], restarts: 1 })
      expect(worker(2).heard).not.toContainEqual(MEASURE)
    })
  })
})

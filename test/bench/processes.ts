import { readFileSync, writeFileSync } from 'node:fs'

/** The resident memory of a process and of those that it has started, as Linux counts it. */
export class ProcessTree {
  readonly #pid: number

  constructor(pid: number) {
    this.#pid = pid
  }

  get pids(): readonly number[] {
    return [this.#pid, ...childrenOf(this.#pid)]
  }

  /** In bytes. */
  get residentBytes(): number {
    return this.#sum('VmRSS')
  }

  /** The most that each has had since {@link forgetPeak}, in bytes. */
  get peakBytes(): number {
    return this.#sum('VmHWM')
  }

  /** @see https://www.kernel.org/doc/html/latest/filesystems/proc.html (clear_refs) */
  forgetPeak(): void {
    for (const pid of this.pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
  }

  #sum(field: string): number {
    return this.pids.reduce((sum, pid) => sum + statusOf(pid, field), 0)
  }
}

function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`)
  return text.split(' ').filter(Boolean).map(Number)
}

function statusOf(pid: number, field: string): number {
  const [, kilobytes] = new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(read(`/proc/${pid}/status`)) ?? []
  return Number(kilobytes ?? 0) * 1024
}

/** Empty where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

import type { Fault } from './fault.js'

/** A call, as far as faults can choose by it. */
export interface FaultedCall {
  readonly action: string
  readonly stream?: string
  readonly queue?: string
  readonly bucket?: string
  /** The caller's role; for AssumeRole the one asked for. */
  readonly roleArn?: string
}

export interface RecordFault {
  readonly code: 'ServiceUnavailableException' | 'InternalFailure'
  readonly message: string
}

/** What is to go wrong with one call. */
export interface StruckCall {
  readonly delayMs: number
  /** The one fault that decides about the call as a whole. */
  readonly fault?: Fault
  /** Asked once for each record, in order. */
  readonly recordFault: () => RecordFault | undefined
}

interface ActiveFault {
  readonly fault: Fault
  timesLeft: number
}

/** Those whose records, or entries, succeed or fail one by one. */
const RECORD_ACTIONS: ReadonlySet<string> = new Set([
  'PutRecord',
  'PutRecordBatch',
  'SendMessageBatch',
  'DeleteMessageBatch',
  'ChangeMessageVisibilityBatch',
])

/** Chooses, by a seeded random number, which calls and records the faults strike. */
export class Faults {
  readonly #random: () => number
  readonly #active = new Set<ActiveFault>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** @returns what takes the fault away again */
  add(fault: Fault): () => void {
    const active: ActiveFault = { fault, timesLeft: fault.times ?? Number.POSITIVE_INFINITY }
    this.#active.add(active)
    return () => {
      this.#active.delete(active)
    }
  }

  clear(): void {
    this.#active.clear()
  }

  /** Delays add up, record faults all apply, and of the others the one added first decides. */
  strike(call: FaultedCall): StruckCall {
    let delayMs = 0
    let decisive: Fault | undefined
    const recordFaults: (() => RecordFault | undefined)[] = []
    for (const active of this.#active) {
      const { fault } = active
      if (!concerns(fault, call)) continue
      const record = recordFaultOf(fault)
      if (record !== undefined) {
        recordFaults.push(() => (this.#random() < (fault.share ?? 1) ? record : undefined))
      } else {
        if (fault.kind !== 'delay' && decisive !== undefined) continue
        if (this.#random() >= (fault.share ?? 1)) continue
        if (fault.kind === 'delay') delayMs += fault.ms
        else decisive = fault
      }
      active.timesLeft -= 1
      if (active.timesLeft <= 0) this.#active.delete(active)
    }
    return {
      delayMs,
      ...(decisive && { fault: decisive }),
      recordFault: () => firstOf(recordFaults),
    }
  }
}

function concerns(fault: Fault, call: FaultedCall): boolean {
  return (
    (fault.action === undefined || fault.action === call.action) &&
    (fault.stream === undefined || fault.stream === call.stream) &&
    (fault.queue === undefined || fault.queue === call.queue) &&
    (fault.bucket === undefined || fault.bucket === call.bucket) &&
    (fault.roleArn === undefined || fault.roleArn === call.roleArn) &&
    (recordFaultOf(fault) === undefined || RECORD_ACTIONS.has(call.action)) &&
    (fault.kind !== 'wrong-responses' || call.action === 'PutRecordBatch')
  )
}

function recordFaultOf(fault: Fault): RecordFault | undefined {
  if (fault.kind === 'throttle-records') return { code: 'ServiceUnavailableException', message: 'Slow down.' }
  if (fault.kind === 'fail-records') return { code: 'InternalFailure', message: 'Internal Service Failure' }
  return undefined
}

/** All are asked, so that the random numbers one fault uses up do not depend on another's luck. */
function firstOf(recordFaults: readonly (() => RecordFault | undefined)[]): RecordFault | undefined {
  return recordFaults.map((ask) => ask()).find((fault) => fault !== undefined)
}

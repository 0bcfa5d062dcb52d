/** What the spill, and the dead letters, do to the disk. */
export const STEPS = [
  'write',
  'fsync',
  'rename',
  'fsync of the directory',
  'claim',
  'read',
  'give back',
  'delete',
  'write of dead letters',
  'fsync of dead letters',
] as const

export type Step = (typeof STEPS)[number]

/** `within`, only writes: half of the bytes are written. */
export type When = 'before' | 'within' | 'after'

/** A moment in the served process. */
export interface Moment {
  readonly step: Step
  readonly when: When
  /** From 1, counted from the order on. */
  readonly nth: number
  /** How far its clock jumps then. @default it kills itself with SIGKILL */
  readonly jumpMs?: number
}

/** What `preload/` makes of the served process. */
export interface Orders {
  /** How far its wall clock is off, in ms. */
  readonly clockOffsetMs: number
  readonly at?: Moment | undefined
  /** What its disk does wrong as long as it runs, as a server would that has the bug. */
  readonly bug?: 'acks before durable' | 'drops on retry' | undefined
}

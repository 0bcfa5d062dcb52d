import type { InputFile } from './input-files.js'
import type { Line } from './lines.js'
import type { Plan, Send } from './plan.js'
import type { FileProgress } from './progress-file.js'
import type { FailureCode } from './tally.js'

/** A line whose fate is known but for the records that it sends. */
export interface Settling {
  readonly file: InputFile
  readonly progress: FileProgress
  readonly line: Line
  readonly fate: Plan | { readonly fail: FailureCode; readonly why?: string } | 'blank'
}

export function sendsOf({ fate }: Settling): { readonly sends: readonly Send[] } | undefined {
  return fate !== 'blank' && 'sends' in fate ? fate : undefined
}

export function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

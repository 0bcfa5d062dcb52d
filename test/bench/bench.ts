import type { Report } from './report.js'

/** What the command line says. */
export interface Settings {
  readonly rounds: number
  /** Of each measurement of a round; `undefined` where the bench is to choose. */
  readonly seconds: number | undefined
  /** How long the stub takes to answer, in ms; `undefined` where the bench is to choose. */
  readonly delayMs: number | undefined
  /** What the names of the bombs must contain. @default all of them */
  readonly bomb?: string | undefined
}

/** A comparison that can be asked for by name. */
export interface Bench {
  readonly name: string
  readonly title: string
  /** Whether it takes so long that it runs only where it is asked for by name. @default false */
  readonly isLong?: boolean
  run(settings: Settings): Promise<Report>
}

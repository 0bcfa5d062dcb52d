import type { Report } from './report.js'

/** What the command line says. */
export interface Settings {
  readonly rounds: number
  /** Of each measurement of a round; `undefined` where the bench is to choose. */
  readonly seconds: number | undefined
  /** How long the stub takes to answer, in ms; `undefined` where the bench is to choose. */
  readonly delayMs: number | undefined
}

/** A comparison that can be asked for by name. */
export interface Bench {
  readonly name: string
  readonly title: string
  run(settings: Settings): Promise<Report>
}

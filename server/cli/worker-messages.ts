import type { WorkerMeasures } from '../metrics/measures.js'
import type { ProxyReport } from '../proxy-report.js'
import type { LogFormat, LogLevel } from './log.js'

/** What a worker serves. */
export interface WorkerTask {
  /** How many share the port, and what is set for the whole. */
  readonly workers: number
  readonly host: string
  readonly port: number
  readonly maxHeaderBytes?: number | undefined
  /**
   * The config file's; `undefined` for the demo. The text and not the file: one that was spoilt meanwhile must not keep
   * a worker from being replaced.
   */
  readonly config: string | undefined
  readonly localAws: WorkerLocalAws | undefined
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

/** The local AWS that the primary process runs. */
export interface WorkerLocalAws {
  readonly endpoint: string
  /** Of the queues that are used: of the spill and of the dead letters, where these are queues. */
  readonly queueUrls: readonly string[]
}

/** Which of these IDs of a source's events are known, or that they are to be. */
export interface DuplicateQuestion {
  readonly source: string
  readonly remember: boolean
  readonly ids: readonly string[]
}

export type ToWorker =
  | { readonly kind: 'start'; readonly task: WorkerTask }
  | { readonly kind: 'reconfigure'; readonly config: string }
  | { readonly kind: 'measure' }
  | { readonly kind: 'close'; readonly timeoutMs: number }
  /** To the questions of this number. */
  | { readonly kind: 'duplicates'; readonly number: number; readonly known: readonly (readonly string[])[] }

export type FromWorker =
  /** It hears. What is sent before is lost. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly url: string }
  /** It cannot serve, and ends. */
  | { readonly kind: 'failed'; readonly lines: readonly string[] }
  | { readonly kind: 'reconfigured' }
  /** Without measures where the system does not give them: one with no file left to open cannot read its memory. */
  | { readonly kind: 'measured'; readonly measures: WorkerMeasures | undefined }
  | { readonly kind: 'duplicates'; readonly number: number; readonly questions: readonly DuplicateQuestion[] }
  | { readonly kind: 'closed'; readonly report: ProxyReport }

import { classify, type ErrorClass, isAccessDenied } from '../aws/error-classes.js'
import type { PutResult, RecordAnswer } from '../aws/put.js'
import { entriesOf, type OutgoingRecord } from './batch.js'
import type { Entry } from './entry.js'

/** What a call came to for the entries it carried. */
export interface Verdict {
  readonly taken: readonly { readonly entries: readonly Entry[]; readonly recordId: string }[]
  readonly refused: readonly Entry[]
  /** Of the call's records, from 0 to 1. */
  readonly throttledShare: number
  /** Why the refused were refused; the last reason where there are several. */
  readonly error?: Error
  /** What to do with the refused. `denied`: as `park`, unless the other API is still to be tried. */
  readonly remedy: 'retry' | 'isolate' | 'park' | 'denied'
}

/** Reads what a call came to, record by record. */
export function verdictOf(records: readonly OutgoingRecord[], result: PutResult): Verdict {
  if ('answers' in result) return verdictOfAnswers(records, result.answers)
  const { class: errorClass, throttled, error } = result.refusal
  return {
    taken: [],
    refused: entriesOf(records),
    throttledShare: throttled ? 1 : 0,
    error,
    remedy: remedyFor(errorClass, error),
  }
}

/** What Firehose refuses inside an answer passes: it says so only of throttling and of failures of its own. */
function verdictOfAnswers(records: readonly OutgoingRecord[], answers: readonly RecordAnswer[]): Verdict {
  const taken: Verdict['taken'][number][] = []
  const refused: Entry[] = []
  let throttled = 0
  let error: Error | undefined
  records.forEach(({ entries }, i) => {
    const answer = answers[i]
    if (answer !== undefined && 'recordId' in answer) {
      taken.push({ entries, recordId: answer.recordId })
      return
    }
    refused.push(...entries)
    error = Object.assign(new Error(answer?.errorMessage), { name: answer?.errorCode })
    if (classify(error).throttled) throttled++
  })
  return {
    taken,
    refused,
    throttledShare: throttled / records.length,
    ...(error && { error }),
    remedy: 'retry',
  }
}

function remedyFor(errorClass: ErrorClass, error: Error): Verdict['remedy'] {
  if (errorClass === 'park') return isAccessDenied(error) ? 'denied' : 'park'
  return errorClass === 'isolate' ? 'isolate' : 'retry'
}

import type { DeadLetter } from './dead-letter.js'
import { deepJson } from './deep-json.js'

/** The line of a letter, with its newline, the same wherever it is kept: in files, in SQS and in S3. */
export function toLine(letter: DeadLetter): string {
  try {
    return `${JSON.stringify(letter)}\n`
  } catch (error) {
    // A program may have handed in what is no JSON: the rest of the letter is kept.
    return `${error instanceof RangeError ? deepJson(letter) : JSON.stringify({ ...letter, data: null })}\n`
  }
}

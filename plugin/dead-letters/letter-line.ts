import { stringifyWithText } from '../json/json-text.js'
import type { DeadLetter } from './dead-letter.js'
import { deepJson } from './deep-json.js'

/** Shares are checked by the lengths of lines, before these are written: each line is made once. */
const made = new WeakMap<DeadLetter, string>()

/** The line of a letter, with its newline, the same wherever it is kept: in files, in SQS and in S3. */
export function toLine(letter: DeadLetter): string {
  const known = made.get(letter)
  if (known !== undefined) return known
  const line = lineOf(letter)
  made.set(letter, line)
  return line
}

function lineOf(letter: DeadLetter): string {
  try {
    return `${stringifyWithText({ ...letter })}\n`
  } catch (error) {
    // A program may have handed in what is no JSON: the rest of the letter is kept.
    return `${error instanceof RangeError ? deepJson(letter) : JSON.stringify({ ...letter, data: null })}\n`
  }
}

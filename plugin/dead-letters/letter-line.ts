import { ByteWriter } from '../json/byte-writer.js'
import { JsonText } from '../json/json-text.js'
import { SLICE_BYTES, type Slices } from '../slices.js'
import type { DeadLetter } from './dead-letter.js'
import { deepJson } from './deep-json.js'

/** A line without its data, about, in bytes. */
const LETTER_BYTES = 512
const BEFORE_DATA = ',"data":'
const AFTER_DATA = '}\n'

/** Letters that are written together, and how large their lines are, about. */
export interface LetterBatch {
  readonly letters: readonly DeadLetter[]
  readonly bytes: number
}

/** The lines of letters, one after the other. */
export interface LetterLines {
  readonly bytes: Buffer
  /** Where each line ends in the bytes. */
  readonly ends: readonly number[]
}

export function batchOf(letters: readonly DeadLetter[]): LetterBatch {
  const bytes = letters.reduce((sum, { data }) => {
    return sum + LETTER_BYTES + (data instanceof JsonText ? data.bytes.length : 0)
  }, 0)
  return { letters, bytes }
}

/** The size of all batches together. */
export function sizeOfBatches(batches: readonly LetterBatch[]): number {
  return batches.reduce((sum, { bytes }) => sum + bytes, 0)
}

/**
 * The batches at the head that are no larger than `maxBytes` together, but one at least.
 *
 * SECURITY: their lines are in memory once more while they are written.
 */
export function fittingBatches(waiting: readonly LetterBatch[], maxBytes: number): number {
  let bytes = 0
  const end = waiting.findIndex((batch, i) => {
    bytes += batch.bytes
    return i > 0 && bytes > maxBytes
  })
  return end < 0 ? waiting.length : end
}

/** Makes the lines of the letters, each with its newline, the same wherever they are kept: in files, in SQS and in S3. */
export function* linesOf(batches: readonly LetterBatch[]): Slices<LetterLines> {
  const writer = new ByteWriter(sizeOfBatches(batches))
  const ends: number[] = []
  let pausedAt = 0
  for (const letter of batches.flatMap(({ letters }) => letters)) {
    addLine(writer, letter)
    ends.push(writer.length)
    if (writer.length - pausedAt < SLICE_BYTES) continue
    pausedAt = writer.length
    yield
  }
  return { bytes: writer.written(), ends }
}

/** The bytes that the line of a letter takes, its newline included. */
export function lineSize(letter: DeadLetter): number {
  const { data, ...rest } = letter
  if (!(data instanceof JsonText)) return Buffer.byteLength(textOf(letter)) + '\n'.length
  const before = Buffer.byteLength(JSON.stringify(rest)) - '}'.length + BEFORE_DATA.length
  return before + data.bytes.length + AFTER_DATA.length
}

function addLine(writer: ByteWriter, letter: DeadLetter): void {
  const { data, ...rest } = letter
  if (!(data instanceof JsonText)) return writer.addText(`${textOf(letter)}\n`)
  // Text that is large need not become a string.
  writer.addText(`${JSON.stringify(rest).slice(0, -1)}${BEFORE_DATA}`)
  writer.add(data.bytes)
  writer.addText(AFTER_DATA)
}

/** Shares are checked by the sizes of lines, before these are written: the text of a program's own data is made once. */
const made = new WeakMap<DeadLetter, string>()

function textOf(letter: DeadLetter): string {
  const known = made.get(letter)
  if (known !== undefined) return known
  const text = jsonOf(letter)
  made.set(letter, text)
  return text
}

function jsonOf(letter: DeadLetter): string {
  try {
    return JSON.stringify(letter)
  } catch (error) {
    // A program may have handed in what is no JSON: the rest of the letter is kept.
    return error instanceof RangeError ? deepJson(letter) : JSON.stringify({ ...letter, data: null })
  }
}

import { isUtf8 } from 'node:buffer'
import { type ObjectSpans, spansOfBatch, spansOfEvent } from './object-spans.js'

/** The bytes of a request's JSON, and where its events stand in them. */
export class BodyText {
  readonly bytes: Buffer
  readonly #isBatch: boolean
  #spans: readonly (ObjectSpans | undefined)[] | undefined
  #isScanned = false
  readonly #quoted: Map<string, string> | undefined

  /** @param bytes - what JSON.parse has found to be an object */
  constructor(bytes: Buffer, isBatch: boolean) {
    this.bytes = bytes
    this.#isBatch = isBatch
    this.#quoted = isBatch ? new Map() : undefined
  }

  /** By index in the batch. Looked for when the first event is written: many are not. */
  get spans(): readonly (ObjectSpans | undefined)[] | undefined {
    if (!this.#isScanned) {
      this.#isScanned = true
      this.#spans = this.#scanned()
    }
    return this.#spans
  }

  /** A text as JSON. Most of what is added to an event of a batch is added to all of them. */
  quoted(text: string): string {
    const known = this.#quoted?.get(text)
    if (known !== undefined) return known
    const made = JSON.stringify(text)
    this.#quoted?.set(text, made)
    return made
  }

  #scanned(): readonly (ObjectSpans | undefined)[] | undefined {
    // What is not UTF-8 was read with replacement characters in its place.
    if (!isUtf8(this.bytes)) return undefined
    const text = this.bytes.toString('latin1')
    return this.#isBatch ? spansOfBatch(text) : [spansOfEvent(text)]
  }
}

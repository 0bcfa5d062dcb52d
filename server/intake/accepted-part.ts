import type { Source } from '../source.js'
import { ROW_LENGTH, type ScannedBody } from './body-scanner.js'
import { LineWriter } from './line-writer.js'
import { ScannedEvent } from './scanned-event.js'

/** A part of a request that was readable, with the sources of the events in it that were accepted. */
export class AcceptedPart {
  readonly #body: ScannedBody
  /** By row. */
  readonly #owners: ReadonlyMap<number, Source>
  readonly #isForBatch: boolean

  /** @param isForBatch - whether the request's endpoint takes batches */
  constructor(body: ScannedBody, owners: ReadonlyMap<number, Source>, isForBatch: boolean) {
    this.#body = body
    this.#owners = owners
    this.#isForBatch = isForBatch
  }

  /** Whether it has the form that Segment's API asks for. */
  get isOfUsualForm(): boolean {
    return this.#body.kind === (this.#isForBatch ? 'batch' : 'object')
  }

  /**
   * A request with the accepted events of the source alone, `undefined` where there are none.
   *
   * SECURITY: a write key of the batch is left out where the events have keys of their own: it names no source here.
   */
  requestFor(source: Source): { readonly body: Buffer; readonly writeKey: string | undefined } | undefined {
    const rows = [...this.#owners.keys()].filter((row) => this.#owners.get(row) === source)
    const [first] = rows
    if (first === undefined) return undefined
    const root = new ScannedEvent(this.#body, 0)
    const keyOf = (event: ScannedEvent) => {
      const writeKey = event.stringOf('writeKey')
      return writeKey !== undefined && source.writeKeys.includes(writeKey) ? writeKey : undefined
    }
    const writeKey = keyOf(root) ?? keyOf(new ScannedEvent(this.#body, first))
    return { body: this.#bodyOf(root, rows, keyOf(root) !== undefined), writeKey }
  }

  #bodyOf(root: ScannedEvent, rows: readonly number[], keepsKey: boolean): Buffer {
    const events = rows.map((row) => this.#textOf(row))
    if (!this.#isForBatch) return Buffer.from(events.join(''))
    if (this.#body.kind !== 'batch') return Buffer.from(`{"batch":[${events.join(',')}]}`)
    const whole = new LineWriter(root.bytes, root.start, root.end)
    whole.replace(root.startOf('batch'), root.endOf('batch'), `[${events.join(',')}]`)
    if (root.has('writeKey') && !keepsKey)
      whole.remove('writeKey', root.startOf('writeKey'), root.endOf('writeKey'))
    return whole.written()
  }

  #textOf(row: number): string {
    const { bytes, rows } = this.#body
    return bytes.toString('utf8', rows[row * ROW_LENGTH], rows[row * ROW_LENGTH + 1])
  }
}

import { type ClientPool, createClientPool } from '../../plugin/aws/client-pool.js'
import type { Clock } from '../../plugin/clock.js'
import { ByteBudget } from '../../plugin/delivery/byte-budget.js'
import { deliveryOf } from '../../plugin/delivery/create-delivery.js'
import type { Delivery } from '../../plugin/delivery/delivery.js'
import type { RecordOutcome } from '../../plugin/delivery/outcome.js'
import type { FirehoseError } from '../../plugin/errors.js'
import type { Lane, Send } from './plan.js'

/** A record that did not arrive. */
export interface FailedSend {
  /** Of {@link targetOf}. */
  readonly target: string
  readonly stream: string
  readonly error: FirehoseError
}

/** Carries events' records to Firehose by their lanes' own deliveries. Nothing is spilled: what fails stays in the input. */
export class Sender {
  readonly #pool: ClientPool
  readonly #clock: Clock
  // The size of what is sent at once is bounded by who sends; records that go to several streams share their bytes.
  readonly #budget = new ByteBudget(Number.MAX_SAFE_INTEGER)
  readonly #deliveries = new Map<Lane, Delivery>()

  constructor({ maxClients, clock }: { readonly maxClients: number; readonly clock: Clock }) {
    this.#clock = clock
    this.#pool = createClientPool({ max: maxClients, clock })
  }

  /**
   * For each event, in order, the records of it that failed.
   *
   * @throws where a delivery does not account for a record: nothing may be taken as confirmed then
   */
  async send(events: readonly (readonly Send[])[]): Promise<FailedSend[][]> {
    const failed: FailedSend[][] = events.map(() => [])
    const byLane = new Map<Lane, { readonly send: Send; readonly event: number }[]>()
    events.forEach((sends, event) => {
      for (const send of sends) {
        const own = byLane.get(send.lane)
        if (own === undefined) byLane.set(send.lane, [{ send, event }])
        else own.push({ send, event })
      }
    })
    const carry = [...byLane].map(async ([lane, entries]) => {
      const outcomes = await this.#delivery(lane).deliver(entries.map(({ send }) => send.record))
      entries.forEach(({ send, event }, i) => {
        const error = errorOf(outcomes[i])
        if (error === undefined) return
        failed[event]?.push({ target: targetOf(send), stream: send.record.stream, error })
      })
    })
    await Promise.all(carry)
    return failed
  }

  async close(): Promise<void> {
    await Promise.all([...this.#deliveries.values()].map((delivery) => delivery.close({ timeout: 0 })))
    this.#pool.close()
  }

  #delivery(lane: Lane): Delivery {
    const known = this.#deliveries.get(lane)
    if (known !== undefined) return known
    const delivery = deliveryOf(lane.configuration, {
      pool: this.#pool,
      budget: this.#budget,
      clock: this.#clock,
    })
    this.#deliveries.set(lane, delivery)
    return delivery
  }
}

/** Names the place of a record within its event, the same in the next run: `0/new_users`. */
export function targetOf({ lane, record }: Send): string {
  return `${lane.index}/${record.stream}`
}

function errorOf(outcome: RecordOutcome | undefined): FirehoseError | undefined {
  // SECURITY: a record that was not accounted for must never be taken as confirmed.
  if (outcome === undefined) throw new Error('The delivery gave no outcome for a record')
  return outcome.status === 'failed' ? outcome.error : undefined
}

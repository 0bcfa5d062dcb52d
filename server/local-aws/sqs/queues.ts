import { AwsError } from '../aws-error.js'
import { Regional } from '../regional.js'
import { Queue } from './queue.js'
import { completeAttributes, type QueueAttributes } from './queue-attributes.js'

/** Thousands of tests may each make their own. */
const MAX_QUEUES = 10_000

/** Whose queue it is, and where. */
export interface QueuePlace {
  readonly accountId: string
  readonly region: string
}

interface QueueSpec {
  readonly accountId: string
  readonly attributes: Partial<QueueAttributes>
}

/** The queues of each region by name: one account's are enough here, as for streams. */
export class Queues {
  readonly #accountId: string
  readonly #queues: Regional<Queue, QueueSpec>

  constructor(now: () => number, accountId: string) {
    this.#accountId = accountId
    this.#queues = new Regional(
      (name, spec) => new Queue(name, spec.accountId, completeAttributes(spec.attributes), now),
    )
  }

  /** Whether any region has a queue of this name. */
  has(name: string): boolean {
    return this.#queues.has(name)
  }

  /** Makes a queue in every region. */
  add(name: string, attributes: Partial<QueueAttributes> = {}): void {
    this.#queues.add(name, { accountId: this.#accountId, attributes })
  }

  /** Removes the queues of this name, with their messages, from all regions. @throws AwsError QueueDoesNotExist */
  remove(name: string): void {
    if (!this.has(name)) throw noSuchQueue()
    this.#queues.remove(name)
  }

  /**
   * Makes a queue, or gives the one there is.
   * @throws AwsError QueueNameExists where that has other attributes
   */
  create(name: string, attributes: Partial<QueueAttributes>, { accountId, region }: QueuePlace): Queue {
    const queues = this.#queues.in(region)
    const existing = queues.get(name)
    if (existing !== undefined) {
      requireSameAttributes(existing, attributes)
      return existing
    }
    if (queues.size >= MAX_QUEUES) {
      throw new AwsError('OverLimit', 403, `The local AWS has ${MAX_QUEUES} queues at most.`)
    }
    const queue = this.#queues.make(name, { accountId, attributes })
    queues.set(name, queue)
    return queue
  }

  /** @throws AwsError QueueDoesNotExist */
  named(name: string, { accountId, region }: QueuePlace): Queue {
    const queue = this.#queues.in(region).get(name)
    if (queue !== undefined && queue.accountId === accountId) return queue
    throw noSuchQueue()
  }

  delete(queue: Queue, region: string): void {
    this.#queues.in(region).delete(queue.name)
  }
}

export function noSuchQueue(): AwsError {
  return new AwsError('QueueDoesNotExist', 400, 'The specified queue does not exist.')
}

function requireSameAttributes(queue: Queue, given: Partial<QueueAttributes>): void {
  const different = Object.entries(given).find(
    ([name, value]) => queue.attributes[name as keyof QueueAttributes] !== value,
  )
  if (different === undefined) return
  throw new AwsError(
    'QueueNameExists',
    400,
    `A queue already exists with the same name and a different value for attribute ${different[0]}`,
  )
}

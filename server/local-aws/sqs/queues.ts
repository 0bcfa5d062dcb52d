import { AwsError } from '../aws-error.js'
import { Queue } from './queue.js'
import { completeAttributes, type QueueAttributes } from './queue-attributes.js'

/** Thousands of tests may each make their own. */
const MAX_QUEUES = 10_000

/** The queues by name: one account and region are enough here, as for streams. */
export class Queues {
  readonly #now: () => number
  readonly #accountId: string
  readonly #byName = new Map<string, Queue>()

  constructor(now: () => number, accountId: string) {
    this.#now = now
    this.#accountId = accountId
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  /**
   * Makes it, or gives the one there is.
   * @throws AwsError QueueNameExists where that has other attributes
   */
  create(name: string, given: Partial<QueueAttributes> = {}, accountId = this.#accountId): Queue {
    const existing = this.#byName.get(name)
    if (existing !== undefined) {
      requireSameAttributes(existing, given)
      return existing
    }
    if (this.#byName.size >= MAX_QUEUES) {
      throw new AwsError('OverLimit', 403, `The local AWS has ${MAX_QUEUES} queues at most.`)
    }
    const queue = new Queue(name, accountId, completeAttributes(given), this.#now)
    this.#byName.set(name, queue)
    return queue
  }

  /** @throws AwsError QueueDoesNotExist */
  named(name: string, accountId = this.#accountId): Queue {
    const queue = this.#byName.get(name)
    if (queue !== undefined && queue.accountId === accountId) return queue
    throw new AwsError('QueueDoesNotExist', 400, 'The specified queue does not exist.')
  }

  delete(queue: Queue): void {
    this.#byName.delete(queue.name)
  }
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

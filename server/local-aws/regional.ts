import { AwsError } from './aws-error.js'

/** SECURITY: a caller can name any region in its signature, and each one takes memory. AWS has fewer. */
const MAX_REGIONS = 200

/**
 * The streams or queues of each region. What a call makes exists in the region of that call; what the options or the
 * owner of this program make exists in every region, each with a state of its own.
 */
export class Regional<Item, Spec> {
  /** Makes an item that is in no region yet. */
  readonly make: (name: string, spec: Spec) => Item
  readonly #everywhere = new Map<string, Spec>()
  readonly #regions = new Map<string, Map<string, Item>>()

  constructor(make: (name: string, spec: Spec) => Item) {
    this.make = make
  }

  /** The items of one region by name, for reading and changing. @throws AwsError where there are too many regions */
  in(region: string): Map<string, Item> {
    const known = this.#regions.get(region)
    if (known !== undefined) return known
    if (this.#regions.size >= MAX_REGIONS) {
      throw new AwsError('LimitExceededException', 400, `The local AWS has ${MAX_REGIONS} regions at most.`)
    }
    const made = [...this.#everywhere].map(([name, spec]) => [name, this.make(name, spec)] as const)
    const items = new Map(made)
    this.#regions.set(region, items)
    return items
  }

  /** Whether any region has an item of this name. */
  has(name: string): boolean {
    return this.#everywhere.has(name) || [...this.#regions.values()].some((items) => items.has(name))
  }

  /** How many items there are in every region. */
  get size(): number {
    return this.#everywhere.size
  }

  /** Makes an item in every region, also in those that are first used later. */
  add(name: string, spec: Spec): void {
    this.#everywhere.set(name, spec)
    for (const items of this.#regions.values()) items.set(name, this.make(name, spec))
  }

  /** Removes the items of this name from all regions. */
  remove(name: string): void {
    this.#everywhere.delete(name)
    for (const items of this.#regions.values()) items.delete(name)
  }
}

/** How often each message came to each stream. */
export class Tally {
  readonly #streams = new Map<string, Map<string, number>>()

  add(stream: string, messageId: string): void {
    const messages = this.#streams.get(stream) ?? new Map<string, number>()
    this.#streams.set(stream, messages)
    messages.set(messageId, (messages.get(messageId) ?? 0) + 1)
  }

  count(stream: string, messageId: string): number {
    return this.#streams.get(stream)?.get(messageId) ?? 0
  }

  /** All arrivals at a stream, duplicates included. */
  total(stream: string): number {
    return [...(this.#streams.get(stream)?.values() ?? [])].reduce((sum, count) => sum + count, 0)
  }

  *[Symbol.iterator](): Iterator<{ stream: string; messageId: string; count: number }> {
    for (const [stream, messages] of this.#streams) {
      for (const [messageId, count] of messages) yield { stream, messageId, count }
    }
  }
}

/** What has to be undone when a bench is over, last first. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = []

  defer(step: () => unknown): void {
    this.#steps.push(step)
  }

  async run(): Promise<void> {
    for (const step of this.#steps.reverse()) await step()
  }
}

/** Does `work`, and then undoes what it deferred, whatever became of it. */
export async function withCleanup<T>(work: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const cleanup = new Cleanup()
  try {
    return await work(cleanup)
  } finally {
    await cleanup.run()
  }
}

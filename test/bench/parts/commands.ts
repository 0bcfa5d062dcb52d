/** What a part does when it is asked, by the name of the command. */
export type Commands = Readonly<Record<string, (input: never) => unknown>>

interface Question {
  readonly id: number
  readonly command: string
  readonly input: unknown
}

/** What a process has used since its start. */
export interface Usage {
  readonly cpuMs: number
  readonly peakRssBytes: number
}

/** Answers what the parent process asks, besides `commands` what this one has used; ends with the parent. */
export function answerCommands(commands: Commands): void {
  const all: Commands = { usage, ...commands }
  process.on('message', async ({ id, command, input }: Question) => {
    try {
      process.send?.({ id, result: await all[command]?.(input as never) })
    } catch (error) {
      process.send?.({ id, error: String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
}

/** Tells the parent that this part can be used, and what it needs to know for that. */
export function announce(ready: unknown): void {
  process.send?.({ ready })
}

/** What the parent started this part with. */
export function readOptions<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuMs: (user + system) / 1_000, peakRssBytes: process.resourceUsage().maxRSS * 1_024 }
}

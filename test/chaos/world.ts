import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ChaosAws } from './chaos-aws.js'
import { check, type Findings } from './check.js'
import { Load } from './load.js'
import type { Random } from './random.js'
import { Serving, type ServingOptions, WRITE_KEYS } from './serving.js'
import { Tally } from './tally.js'

export interface WorldOptions extends Partial<Omit<ServingOptions, 'cwd' | 'endpoint'>> {
  readonly random: Random
  readonly cwd: string
  /** Called with the spill's directory before anything is in it. */
  readonly prepare?: (directory: string) => void
}

/** What a dead process had claimed is free 30 s after its last sign of life; then pauses of up to 30 s go by. */
const LONGEST_DRAIN_MS = 75_000
const POLL_MS = 50
/** Looks in a row that find nothing. */
const CALM_POLLS = 5
const CONNECTIONS = 16

/** What is torn stays, for people to look at. */
const isTorn = (name: string) => name.endsWith('.torn')

/** A server with its AWS and its clients. */
export class World {
  readonly random: Random
  readonly cwd: string
  readonly spillDirectory: string
  readonly aws: ChaosAws
  readonly serving: Serving
  #load: Load | undefined

  private constructor({ random, cwd }: WorldOptions, aws: ChaosAws, serving: Serving) {
    this.random = random
    this.cwd = cwd
    this.spillDirectory = join(cwd, 'spill')
    this.aws = aws
    this.serving = serving
  }

  static async start(options: WorldOptions): Promise<World> {
    const { cwd, random } = options
    const aws = await ChaosAws.start({ dir: join(cwd, 'aws'), seed: random.between(1, 1_000_000) })
    const serving = new Serving({ ...options, endpoint: aws.endpoint })
    // By a link, which can be swapped in one step for one to something else.
    const directory = join(cwd, 'spill-on-disk')
    mkdirSync(directory)
    options.prepare?.(directory)
    symlinkSync(directory, join(cwd, 'spill'))
    await serving.start()
    return new World(options, aws, serving)
  }

  get load(): Load {
    this.#load ??= new Load({
      url: this.serving.url,
      writeKeys: WRITE_KEYS,
      random: this.random,
      connections: CONNECTIONS,
    }).start()
    return this.#load
  }

  async end(): Promise<void> {
    await this.#load?.stop()
    await this.serving.kill()
    await this.aws.goDown()
  }

  /** What of the spill is still there, in whatever state. */
  spilled(): string[] {
    return readdirSync(this.spillDirectory).filter((name) => name.includes('.ndjson'))
  }

  /** Resolves when neither spill nor memory holds anything for a while, or when that takes too long. */
  async settled(): Promise<void> {
    const deadline = performance.now() + LONGEST_DRAIN_MS
    // A record on its way to the spill may be delivered after all: then a file comes that memory tells nothing of.
    for (let calmPolls = 0; calmPolls < CALM_POLLS && performance.now() < deadline; ) {
      const isCalm = this.spilled().every(isTorn) && (await this.serving.isIdle())
      calmPolls = isCalm ? calmPolls + 1 : 0
      await wait(POLL_MS)
    }
  }

  findings(): Findings {
    const { sent, acked, resent } = this.load
    return check({ sent, acked, resent, taken: this.aws.taken, deadLettered: this.#deadLettered() })
  }

  #deadLettered(): Tally {
    const tally = new Tally()
    const directory = join(this.cwd, 'dead-letters')
    mkdirSync(directory, { recursive: true })
    for (const name of readdirSync(directory)) {
      for (const line of readFileSync(join(directory, name), 'utf8').split('\n')) {
        if (line !== '') addLetter(tally, line)
      }
    }
    return tally
  }
}

/** A line that a crash cut off is no letter: its event was not acknowledged. */
function addLetter(tally: Tally, line: string): void {
  try {
    const { stream, messageId } = JSON.parse(line) as { stream: string | null; messageId: string }
    tally.add(stream ?? '', messageId)
  } catch {}
}

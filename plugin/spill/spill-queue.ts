import type { Clock } from '../clock.js'
import { guarded, type Logger } from '../logger.js'
import { targetId } from './file-name.js'
import { HeldMessages } from './held-messages.js'
import { checkLines } from './lines.js'
import { QueueApi, type QueueClient, queueClient } from './queue-api.js'
import { QueueClaims } from './queue-claims.js'
import { QueueInbox } from './queue-inbox.js'
import { QueueLevel } from './queue-level.js'
import { checkQueueUrl, unusable } from './queue-settings.js'
import { QueueWatch } from './queue-watch.js'
import { QueueWriter } from './queue-writer.js'
import { type Spill, type SpillClaim, type SpillStats, type SpillTarget, UnfitRecordError } from './spill.js'
import { UnderWay } from './under-way.js'

/** A held message survives two beats that fail. */
const BEAT_MS = 30_000

export interface SpillQueueOptions {
  /** Of a standard queue. */
  readonly queueUrl: string
  readonly region: string
  readonly httpsProxy?: string | false | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** Its owner closes it. @default one of its own, with the ambient credentials */
  readonly client?: QueueClient
  /** How long an empty queue is listened to, in seconds: from 1 on SQS asks all of its servers. @default 1 */
  readonly waitSeconds?: number
}

/**
 * A spill in an SQS queue, for fleets and for machines without a disk: any process that has the queue drains it.
 *
 * @throws Error that names the queue, what is wrong and the fix, where it cannot be used before that is mended.
 */
export async function openSpillQueue(options: SpillQueueOptions): Promise<Spill> {
  const { queueUrl, client, clock } = options
  checkQueueUrl(queueUrl)
  // Loaded here and not at the top: without a spill queue nobody needs it.
  const sdk = await import('@aws-sdk/client-sqs')
  const own = client ? undefined : await queueClient(sdk, options, clock)
  const api = new QueueApi(sdk, client ?? (own as QueueClient), options, clock)
  const spill = new SpillQueue(api, options, () => own?.destroy())
  try {
    await spill.open()
  } catch (error) {
    own?.destroy()
    throw error
  }
  return spill
}

class SpillQueue implements Spill {
  readonly #api: QueueApi
  readonly #clock: Clock
  readonly #onClosed: () => void
  readonly #level: QueueLevel
  readonly #writer: QueueWriter
  readonly #watch: QueueWatch
  readonly #held: HeldMessages
  readonly #inbox: QueueInbox
  readonly #claims: QueueClaims
  /** Appends, claims and beats under way. */
  readonly #underWay = new UnderWay()
  #cancelBeat = () => {}
  #isClosed = false

  constructor(api: QueueApi, options: SpillQueueOptions, onClosed: () => void) {
    const { clock, waitSeconds = 1 } = options
    const logger = guarded(options.logger)
    this.#api = api
    this.#clock = clock
    this.#onClosed = onClosed
    this.#level = new QueueLevel(clock)
    this.#writer = new QueueWriter(api, clock, (message) => this.#level.sent(message))
    this.#watch = new QueueWatch({
      api,
      clock,
      logger,
      level: this.#level,
      writer: this.#writer,
    })
    const onTrouble = (error: unknown) => this.#watch.noteTrouble(error)
    this.#held = new HeldMessages(api, clock, onTrouble)
    this.#inbox = new QueueInbox(api, clock, logger, {
      onReceived: (message) => {
        this.#claims.noteReceived(message.target)
        this.#level.received({ ...message, records: message.records.length })
      },
      onTrouble,
    })
    this.#claims = new QueueClaims({
      queueUrl: api.queueUrl,
      held: this.#held,
      inbox: this.#inbox,
      level: this.#level,
      writer: this.#writer,
      waitSeconds,
    })
  }

  async open(): Promise<void> {
    const error = (await this.#watch.look()) ?? (await this.#tryAll())
    const final = error && unusable(this.#api, error)
    if (final) throw final
    this.#scheduleBeat()
  }

  /** Makes each call that an outage needs, so that a policy that refuses one of them shows now. Finds targets, too. */
  async #tryAll(): Promise<unknown> {
    try {
      const tried = [this.#inbox.receive(0), this.#api.trySend(), this.#api.tryRelease()] as const
      const [received] = await Promise.all(tried)
      return received === undefined ? this.#watch.lastError : undefined
    } catch (error) {
      return error
    }
  }

  append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    return this.#underWay.track(this.#append(target, records))
  }

  claim(target: SpillTarget): Promise<SpillClaim | undefined> {
    return this.#underWay.track(this.#claims.claim(target))
  }

  targets(): readonly SpillTarget[] {
    return this.#claims.targets
  }

  stats(): SpillStats {
    this.#refresh()
    return this.#level.stats()
  }

  opened(): Promise<void> {
    return Promise.resolve()
  }

  canTake(): boolean {
    this.#refresh()
    return !this.#isClosed && !this.#watch.isTroubled
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelBeat()
    this.#claims.stop()
    await this.#underWay.over()
    await this.#claims.releaseAll()
    await this.#writer.idle()
    await this.#held.giveBack(this.#inbox.takeAll())
    await this.#held.deleteLeftovers()
    this.#onClosed()
  }

  async #append(target: SpillTarget, records: readonly Uint8Array[]): Promise<void> {
    if (this.#isClosed) throw new Error('The spill is closed')
    targetId(target)
    checkLines(records)
    if (records.length === 0) return
    try {
      await this.#writer.write({ target, records, time: this.#clock.wallTime() })
    } catch (error) {
      if (!(error instanceof UnfitRecordError)) this.#watch.noteTrouble(error)
      throw error
    }
    this.#claims.noteAppended(target)
  }

  #scheduleBeat(): void {
    this.#cancelBeat = this.#clock.after(BEAT_MS, () => {
      void this.#underWay.track(this.#beat()).finally(() => {
        if (!this.#isClosed) this.#scheduleBeat()
      })
    })
  }

  async #beat(): Promise<void> {
    const since = this.#clock.now() - BEAT_MS
    const foreign = this.#inbox.takeThose(
      ({ target, receivedAt }) => receivedAt <= since && !this.#claims.isWanted(target),
    )
    const messages = [...this.#claims.messages, ...this.#inbox.current()]
    this.#level.held(messages)
    await Promise.all([this.#held.extend(messages), this.#deleteLeftovers()])
    await this.#watch.look()
    await this.#discover()
    // After that look, which would bring them back: until the next one a process has them that can send them.
    await this.#held.giveBack(foreign)
  }

  async #deleteLeftovers(): Promise<void> {
    this.#level.deleted(await this.#held.deleteLeftovers())
  }

  /** Finds out for which targets there is something. */
  async #discover(): Promise<void> {
    if (this.#level.messages > 0 && !this.#inbox.isHalfFull) await this.#inbox.receive(0)
  }

  /** Has SQS asked anew where what is known is old. */
  #refresh(): void {
    if (!this.#isClosed && this.#watch.isStale) void this.#underWay.track(this.#watch.look())
  }
}

import { membersOf } from '../../plugin/json/json-spans.js'
import { badRequest, type HttpProblem } from '../http/http-problem.js'
import { MAX_BODY_BYTES } from '../http/limits.js'
import type { JsonObject } from '../json-object.js'
import type { ScannedEvent } from './scanned-event.js'
import { MAX_INTEGRATIONS_BYTES } from './validate-event.js'

/** What batch-level `context` may come to once each event has its copy. */
const MAX_CONTEXT_BYTES = 4 * MAX_BODY_BYTES
/** As for `context`, of `integrations`: they are made objects, which takes many times their size. */
const MAX_INTEGRATIONS_COPIES_BYTES = MAX_BODY_BYTES
/** A hundred times what real libraries send: its members are looked at one by one. */
const MAX_SHARED_CONTEXT_BYTES = 256 * 1024

/** The members of a context that depend on who sent the event: they are not simply copied. */
export const CLIENT_KEYS = ['ip', 'userAgent'] as const

type SharedMember = 'context' | 'integrations'

/** What a shared `context` or `integrations` gives to each event. */
interface Shared {
  /** Each member as JSON, by its key. */
  readonly texts: ReadonlyMap<string, string>
  /** All of them, with commas between them. */
  readonly all: string
}

/** What the body of a batch says for all its events: `context`, `integrations` and `sentAt`. */
export class SharedMembers {
  /** The body itself. */
  readonly body: ScannedEvent
  readonly #shared = new Map<SharedMember, Shared>()
  #integrations: JsonObject | undefined

  constructor(body: ScannedEvent) {
    this.body = body
  }

  has(member: SharedMember): boolean {
    return this.body.hasObject(member)
  }

  /** The shared integrations, `undefined` where there are none. */
  get integrations(): JsonObject | undefined {
    if (!this.has('integrations')) return undefined
    this.#integrations ??= JSON.parse(this.body.textOf('integrations') as string) as JsonObject
    return this.#integrations
  }

  /**
   * The members of a shared `context` or `integrations` that the event does not have in its own, as JSON with commas
   * between them. Those that depend on who sent the event are left out.
   */
  missingIn(event: ScannedEvent, member: SharedMember): string {
    const { texts, all } = this.#membersOf(member)
    if (all === '') return ''
    const own = membersOf(event.bytes, event.startOf(member)).filter(({ key }) => texts.has(key))
    if (own.length === 0) return all
    const taken = new Set(own.map(({ key }) => key))
    return [...texts].flatMap(([key, text]) => (taken.has(key) ? [] : [text])).join(',')
  }

  /** All members of a shared `context` or `integrations`, as JSON with commas between them; see {@link missingIn}. */
  textOf(member: SharedMember): string {
    return this.#membersOf(member).all
  }

  /**
   * SECURITY: a body within its cap could ask for a thousand times its size in memory by a large context that all its
   * events share.
   */
  problemWith(events: number): HttpProblem | undefined {
    const [context, integrations] = [this.#size('context'), this.#size('integrations')]
    const isTooMuch =
      context > MAX_SHARED_CONTEXT_BYTES ||
      integrations > MAX_INTEGRATIONS_BYTES ||
      events * context > MAX_CONTEXT_BYTES ||
      events * integrations > MAX_INTEGRATIONS_COPIES_BYTES
    if (!isTooMuch) return undefined
    const message =
      'The `context` and `integrations` of the batch are too large to be copied to each event; send fewer events'
    return badRequest('batch_too_large', message)
  }

  #size(member: SharedMember): number {
    return this.has(member) ? this.body.endOf(member) - this.body.startOf(member) : 0
  }

  #membersOf(member: SharedMember): Shared {
    const known = this.#shared.get(member)
    if (known !== undefined) return known
    const { bytes } = this.body
    const members = membersOf(bytes, this.body.startOf(member)).filter(
      ({ key }) => !OF_SENDER[member].has(key),
    )
    const texts = new Map(
      members.map(({ key, start, valueEnd }) => [key, bytes.toString('utf8', start, valueEnd)] as const),
    )
    const shared = { texts, all: [...texts.values()].join(',') }
    this.#shared.set(member, shared)
    return shared
  }
}

const OF_SENDER: Readonly<Record<SharedMember, ReadonlySet<string>>> = {
  context: new Set(CLIENT_KEYS),
  integrations: new Set(),
}

import { type MemberSpan, membersOf } from '../../plugin/json/json-spans.js'
import { badRequest, type HttpProblem } from '../http/http-problem.js'
import { MAX_BODY_BYTES } from '../http/limits.js'
import type { JsonObject } from '../json-object.js'
import type { ScannedEvent } from './scanned-event.js'
import { MAX_INTEGRATIONS_BYTES } from './validate-event.js'

/** What batch-level `context` and `integrations` may come to once each event has its copy. */
const MAX_SHARED_BYTES = 4 * MAX_BODY_BYTES

type SharedMember = 'context' | 'integrations'

/** What the body of a batch says for all its events: `context`, `integrations` and `sentAt`. */
export class SharedMembers {
  /** The body itself. */
  readonly body: ScannedEvent
  readonly #members = new Map<SharedMember, readonly MemberSpan[]>()
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
   * The shared members that the event does not have in its own `context` or `integrations`, as JSON with commas
   * between them.
   *
   * @param except - keys to leave out as well
   */
  missingIn(event: ScannedEvent, member: SharedMember, except: readonly string[] = []): string {
    const shared = this.#membersOf(member)
    if (shared.length === 0) return ''
    const own = membersOf(event.bytes, event.startOf(member))
    const taken = new Set([...own.map(({ key }) => key), ...except])
    return this.#textOf(shared.filter(({ key }) => !taken.has(key)))
  }

  /** The shared members as JSON with commas between them, without those of the keys. */
  textWithout(member: SharedMember, except: readonly string[]): string {
    return this.#textOf(this.#membersOf(member).filter(({ key }) => !except.includes(key)))
  }

  /**
   * SECURITY: a body within its cap could ask for a thousand times its size in memory by a large context that all its
   * events share.
   */
  problemWith(events: number): HttpProblem | undefined {
    const bytes = this.#size('context') + this.#size('integrations')
    const isTooMuch = events * bytes > MAX_SHARED_BYTES || this.#size('integrations') > MAX_INTEGRATIONS_BYTES
    if (!isTooMuch) return undefined
    const message =
      'The `context` and `integrations` of the batch are too large to be copied to each event; send fewer events'
    return badRequest('batch_too_large', message)
  }

  #size(member: SharedMember): number {
    return this.has(member) ? this.body.endOf(member) - this.body.startOf(member) : 0
  }

  #membersOf(member: SharedMember): readonly MemberSpan[] {
    const known = this.#members.get(member)
    if (known !== undefined) return known
    const members = membersOf(this.body.bytes, this.body.startOf(member))
    this.#members.set(member, members)
    return members
  }

  #textOf(members: readonly MemberSpan[]): string {
    return members.map(({ start, valueEnd }) => this.body.bytes.toString('utf8', start, valueEnd)).join(',')
  }
}

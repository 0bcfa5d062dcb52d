import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget, Reclaimable } from '../../plugin/delivery/byte-budget.js'
import { type HttpProblem, unavailable } from './http-problem.js'
import { type BodyAdmission, type BodyOrigin, IncomingBody } from './incoming-body.js'
import { MAX_BODY_BYTES } from './limits.js'
import { ReceivingSpeed } from './receiving-speed.js'

/** The part of the memory that all arriving bodies may hold. The rest is for records that wait for Firehose. */
const ALL_SHARE = 3 / 4

/** The part of the memory for the bodies of one source. Write keys of browsers are public and prove no good will. */
const SOURCE_SHARE = 1 / 2

/** The part of the memory for bodies of unknown senders. A key in a body is read when all of the body is there. */
const UNKNOWN_SHARE = 1 / 4

/** The part of the share of unknown senders that one client network may hold. */
const NETWORK_SHARE = 1 / 2

/** Making room sorts all bodies of a share. It frees this part of the share's limit at once, so that it is rare. */
const ROOM_STEP = 1 / 16

/**
 * ms that each body is taken to be older than it is. Otherwise a flood of new bodies would cost less than a phone that
 * has been sending a few kilobytes for some seconds.
 */
const NEW_BODY_MS = 1_000

/**
 * A body that has held so much for so long gives way to everything else: 1 MiB for a second, 100 KiB for ten. A batch of
 * 500 KB, the largest that SDKs send, stays below that from 4 Mbit/s on, and one of 100 KB from 80 kbit/s on.
 */
const STALLED_BYTE_MS = 1024 * 1024 * 1000

/** A part of the memory, and the bodies that hold it. */
class Share {
  readonly limit: number
  readonly bodies = new Set<IncomingBody>()
  used = 0

  constructor(limit: number) {
    this.limit = Math.floor(limit)
  }
}

/**
 * Shares the memory out among requests whose bodies are arriving, so that slow senders cannot keep others from sending.
 * There is a share for each source, one for all unknown senders, and within that one for each client network. When a
 * share is used up, the bodies that have held most of it for longest make room. A body that is alone in its share may go
 * beyond it.
 *
 * SECURITY: without this, 67 MB of slow bodies on 64 connections, sent without a write key, turn away all senders.
 */
export class MemoryAdmission implements BodyAdmission, Reclaimable {
  readonly #budget: ByteBudget
  readonly #clock: Pick<Clock, 'now'>
  readonly #speed: ReceivingSpeed
  readonly #all: Share
  readonly #unknown: Share
  /** The shares of each body that has joined them. */
  readonly #bodies = new Map<IncomingBody, readonly Share[]>()
  readonly #sources = new Map<string, Share>()
  readonly #networks = new Map<string, Share>()

  constructor(budget: ByteBudget, clock: Pick<Clock, 'now' | 'after'>) {
    this.#budget = budget
    this.#clock = clock
    this.#speed = new ReceivingSpeed(clock)
    const { capacity } = budget
    this.#all = new Share(capacity * ALL_SHARE)
    // The largest request should fit, as long as that leaves as much to the others.
    this.#unknown = new Share(Math.max(capacity * UNKNOWN_SHARE, Math.min(capacity / 2, MAX_BODY_BYTES)))
    budget.reclaimFrom(this)
  }

  /** Bytes that arriving bodies hold. */
  get receivingBytes(): number {
    return this.#all.used
  }

  /** Starts to count a request's body, before it is read. */
  receive(origin: Omit<BodyOrigin, 'startedAt'>): IncomingBody {
    const body = new IncomingBody(this.#budget, this, { ...origin, startedAt: this.#clock.now() })
    this.#speed.watch(body)
    return body
  }

  join(body: IncomingBody): void {
    const shares = this.#sharesOf(body)
    this.#bodies.set(body, shares)
    for (const share of shares) share.bodies.add(body)
    this.count(body, body.held)
  }

  makeRoom(body: IncomingBody, bytes: number): boolean {
    return this.#bodies.get(body)?.every((share) => this.#makeRoomIn(share, body, bytes)) ?? false
  }

  count(body: IncomingBody, bytes: number): void {
    for (const share of this.#bodies.get(body) ?? []) share.used += bytes
  }

  leave(body: IncomingBody): void {
    this.#speed.unwatch(body)
    const shares = this.#bodies.get(body)
    if (shares === undefined) return
    this.#bodies.delete(body)
    for (const share of shares) share.bodies.delete(body)
    const { source } = body.origin
    if (source !== undefined) forgetEmpty(this.#sources, source)
    else if (body.network !== undefined) forgetEmpty(this.#networks, body.network)
  }

  get reclaimableBytes(): number {
    return this.#stalled().reduce((sum, { held }) => sum + held, 0)
  }

  reclaim(bytes: number): void {
    let missing = bytes
    for (const body of costliestFirst(this.#stalled(), this.#clock.now())) {
      if (missing <= 0) return
      missing -= body.held
      body.revoke(neededByOthers())
    }
  }

  #sharesOf({ origin: { source }, network }: IncomingBody): readonly Share[] {
    if (source !== undefined) {
      return [this.#all, shareIn(this.#sources, source, this.#budget.capacity * SOURCE_SHARE)]
    }
    if (network === undefined) return [this.#all, this.#unknown]
    return [this.#all, this.#unknown, shareIn(this.#networks, network, this.#unknown.limit * NETWORK_SHARE)]
  }

  #makeRoomIn({ limit, used, bodies }: Share, body: IncomingBody, bytes: number): boolean {
    const missing = used + bytes - limit
    if (missing <= 0 || used === body.held) return true
    let made = 0
    for (const victim of costliestFirst(bodies, this.#clock.now(), { body, bytes })) {
      if (victim === body || made >= missing + limit * ROOM_STEP) break
      made += victim.held
      victim.revoke(neededByOthers())
    }
    return made >= missing
  }

  #stalled(): IncomingBody[] {
    const now = this.#clock.now()
    // A body that is whole waits for us and not for its sender.
    return [...this.#bodies.keys()].filter(
      ({ held, origin }) => held * (now - origin.startedAt) >= STALLED_BYTE_MS && !origin.isWhole(),
    )
  }
}

function shareIn(shares: Map<string, Share>, name: string, limit: number): Share {
  const known = shares.get(name)
  if (known !== undefined) return known
  const share = new Share(limit)
  shares.set(name, share)
  return share
}

function forgetEmpty(shares: Map<string, Share>, name: string): void {
  if (shares.get(name)?.bodies.size === 0) shares.delete(name)
}

function neededByOthers(): HttpProblem {
  return unavailable(
    'memory_full',
    'The body arrived slowly, and others needed its memory; send this again later',
  )
}

/** What a body costs the others: how much memory it has held, and for how long. */
function costOf({ held, origin }: IncomingBody, now: number, more = 0): number {
  return (held + more) * (now - origin.startedAt + NEW_BODY_MS)
}

/**
 * Sorts bodies by the order in which they make room. The source that costs most comes first (all unknown senders count
 * as one), within it the network that costs most, so that one sender who floods does not push out the others, and within
 * that the costliest body.
 *
 * @param taker - the body that needs room, and for how many bytes
 */
function costliestFirst(
  bodies: Iterable<IncomingBody>,
  now: number,
  taker?: { readonly body: IncomingBody; readonly bytes: number },
): IncomingBody[] {
  const bySource = new Map<unknown, number>()
  const byNetwork = new Map<unknown, Map<unknown, number>>()
  // A body that holds nothing cannot make room.
  const holders = Array.from(bodies).filter((body) => body.held > 0 || body === taker?.body)
  const costs = holders.map((body) => {
    const cost = costOf(body, now, body === taker?.body ? taker.bytes : 0)
    const { source } = body.origin
    // A sender without an address shares its network with nobody.
    const network = body.network ?? body
    const ofSource = byNetwork.get(source) ?? new Map<unknown, number>()
    byNetwork.set(source, ofSource)
    ofSource.set(network, (ofSource.get(network) ?? 0) + cost)
    bySource.set(source, (bySource.get(source) ?? 0) + cost)
    return { body, cost, source, network }
  })
  const rank = ({ source, network, cost }: (typeof costs)[number]) =>
    [bySource.get(source) ?? 0, byNetwork.get(source)?.get(network) ?? 0, cost] as const
  return costs
    .map((it) => ({ body: it.body, rank: rank(it) }))
    .sort((a, b) => b.rank[0] - a.rank[0] || b.rank[1] - a.rank[1] || b.rank[2] - a.rank[2])
    .map(({ body }) => body)
}

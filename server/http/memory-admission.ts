import type { Clock } from '../../plugin/clock.js'
import type { ByteBudget, Reclaimable } from '../../plugin/delivery/byte-budget.js'
import { memoryFull } from './http-problem.js'
import { type BodyAdmission, type BodyOrigin, IncomingBody } from './incoming-body.js'
import { MAX_BODY_BYTES } from './limits.js'
import { ReceivingSpeed } from './receiving-speed.js'

/** Of the memory, what bodies that are coming may hold together. The rest is for records that wait for Firehose. */
const ALL_SHARE = 3 / 4

/** What those of one source may hold: write keys of browsers are public, so that a known key is no proof of good will. */
const SOURCE_SHARE = 1 / 2

/** What those of senders who are not known yet may hold: a key in the body is read when all of the body is there. */
const UNKNOWN_SHARE = 1 / 4

/** Of that, what one client network may hold. */
const NETWORK_SHARE = 1 / 2

/** Making room looks at all that come. It makes this part of a share's limit at once, so that it is seldom done. */
const ROOM_STEP = 1 / 16

/**
 * ms. A body that has just begun costs as if it had been there for so long. Else a flood of new ones would cost less
 * than a phone that has been sending a few kilobytes for some seconds.
 */
const NEW_BODY_MS = 1_000

/**
 * A body that has held so much memory for so long gives way to everything else: 1 MiB for a second, 100 KiB for ten. A
 * batch of 500 KB, the largest that SDKs send, stays below from 4 Mbit/s on, as does one of 100 KB at 80 kbit/s.
 */
const STALLED_BYTE_MS = 1024 * 1024 * 1000

/** A part of the memory, and the bodies that have it. */
class Share {
  readonly limit: number
  readonly bodies = new Set<IncomingBody>()
  used = 0

  constructor(limit: number) {
    this.limit = Math.floor(limit)
  }
}

/**
 * Shares the memory out among the requests whose bodies are coming, so that nobody can keep others from sending by
 * sending slowly: there is a share for each source, one for all senders who are not known, and in that one for each
 * client network. Where a share is used up, whoever has had most of it for longest makes room. A body that is alone in
 * its share may go beyond it.
 *
 * SECURITY: without this, 67 MB that come slowly over a few connections, with no write key, turned away everybody.
 */
export class MemoryAdmission implements BodyAdmission, Reclaimable {
  readonly #budget: ByteBudget
  readonly #clock: Pick<Clock, 'now'>
  readonly #speed: ReceivingSpeed
  readonly #all: Share
  readonly #unknown: Share
  /** Of each body that is coming, the shares that it has a part in. */
  readonly #bodies = new Map<IncomingBody, readonly Share[]>()
  readonly #sources = new Map<string, Share>()
  readonly #networks = new Map<string, Share>()

  constructor(budget: ByteBudget, clock: Pick<Clock, 'now' | 'after'>) {
    this.#budget = budget
    this.#clock = clock
    this.#speed = new ReceivingSpeed(clock)
    const { capacity } = budget
    this.#all = new Share(capacity * ALL_SHARE)
    // Room for one request of the size that is allowed, where that leaves as much to the others.
    this.#unknown = new Share(Math.max(capacity * UNKNOWN_SHARE, Math.min(capacity / 2, MAX_BODY_BYTES)))
    budget.reclaimFrom(this)
  }

  /** Bytes of bodies that are coming. */
  get receivingBytes(): number {
    return this.#all.used
  }

  /** The memory of a request, from before its body is read. */
  receive(origin: Omit<BodyOrigin, 'startedAt'>): IncomingBody {
    const body = new IncomingBody(this.#budget, this, { ...origin, startedAt: this.#clock.now() })
    const shares = this.#sharesOf(body)
    this.#bodies.set(body, shares)
    for (const share of shares) share.bodies.add(body)
    this.#speed.watch(body)
    return body
  }

  makeRoom(body: IncomingBody, bytes: number): boolean {
    return this.#bodies.get(body)?.every((share) => this.#makeRoomIn(share, body, bytes)) ?? false
  }

  count(body: IncomingBody, bytes: number): void {
    for (const share of this.#bodies.get(body) ?? []) share.used += bytes
  }

  leave(body: IncomingBody): void {
    this.#speed.unwatch(body)
    for (const share of this.#bodies.get(body) ?? []) share.bodies.delete(body)
    this.#bodies.delete(body)
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
      body.revoke(memoryFull())
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
      victim.revoke(memoryFull())
    }
    return made >= missing
  }

  #stalled(): IncomingBody[] {
    const now = this.#clock.now()
    return [...this.#bodies.keys()].filter(
      ({ held, origin }) => held * (now - origin.startedAt) >= STALLED_BYTE_MS,
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

/** What a body costs the others: how much memory it has held, for how long. */
function costOf({ held, origin }: IncomingBody, now: number, more = 0): number {
  return (held + more) * (now - origin.startedAt + NEW_BODY_MS)
}

/**
 * The order in which bodies make room. First comes the source that costs most, those without a key being one; of it the
 * network that costs most, so that a single sender who floods does not push out the others; of that the costliest body.
 *
 * @param taker - who asks, with so many bytes more
 */
function costliestFirst(
  bodies: Iterable<IncomingBody>,
  now: number,
  taker?: { readonly body: IncomingBody; readonly bytes: number },
): IncomingBody[] {
  const bySource = new Map<unknown, number>()
  const byNetwork = new Map<unknown, Map<unknown, number>>()
  // What holds nothing cannot make room.
  const holders = Array.from(bodies).filter((body) => body.held > 0 || body === taker?.body)
  const costs = holders.map((body) => {
    const cost = costOf(body, now, body === taker?.body ? taker.bytes : 0)
    const { source } = body.origin
    // Who has no address is nobody's neighbour.
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

import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/** What the load sends. */
export interface RequestOptions {
  /** One is sent to `/v1/track`, more to `/v1/batch`. */
  readonly eventsInBody: number
  readonly writeKey: string
  /** Given to a body's events in turn. @default ['Order Completed'] */
  readonly eventNames?: readonly string[]
  readonly isGzipped?: boolean
}

const ID_DIGITS = 12

/** Makes requests that differ in their events' IDs alone, which are written over those of the request before. */
export class Requests {
  readonly events: number
  readonly #head: string
  readonly #bytes: Buffer
  readonly #idsAt: readonly number[]
  readonly #bodyAt: number
  readonly #isGzipped: boolean
  #next = 0

  constructor({
    eventsInBody,
    writeKey,
    eventNames = ['Order Completed'],
    isGzipped = false,
  }: RequestOptions) {
    const idPrefix = `node-next-1795500000000-${randomUUID().slice(0, -ID_DIGITS)}`
    const events = Array.from({ length: eventsInBody }, (_, i) =>
      trackEvent(idPrefix + '0'.repeat(ID_DIGITS), eventNames[i % eventNames.length] as string),
    )
    const [first] = events
    const sent = eventsInBody === 1 ? { ...first, writeKey } : { batch: events, writeKey, sentAt: AT }
    const body = Buffer.from(JSON.stringify(sent))
    const path = eventsInBody === 1 ? '/v1/track' : '/v1/batch'
    this.events = eventsInBody
    this.#isGzipped = isGzipped
    this.#head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`
    const head = Buffer.from(`${this.#head}Content-Length: ${body.length}\r\n\r\n`)
    this.#bodyAt = head.length
    this.#bytes = Buffer.concat([head, body])
    this.#idsAt = placesOf(this.#bytes, Buffer.from(idPrefix)).map((at) => at + idPrefix.length)
  }

  /** The next request; the bytes are good until the one after is asked for. */
  next(): Buffer {
    for (const at of this.#idsAt) {
      this.#bytes.write(String(this.#next++).padStart(ID_DIGITS, '0'), at, 'latin1')
    }
    return this.#isGzipped ? this.#gzipped() : this.#bytes
  }

  #gzipped(): Buffer {
    const body = gzipSync(this.#bytes.subarray(this.#bodyAt), { level: 1 })
    const head = `${this.#head}Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`
    return Buffer.concat([Buffer.from(head), body])
  }
}

const AT = '2026-11-24T10:20:30.456Z'

/** About 1.16 KB, as analytics.js and analytics-node send of a shop. */
export function trackEvent(messageId: string, event: string) {
  return {
    type: 'track',
    event,
    messageId,
    userId: 'usr_019361c2f4b07d4e9a51',
    anonymousId: '5f0c9f3a-6a0f-4d2b-9b7e-2f1f4f7f9c11',
    timestamp: AT,
    originalTimestamp: AT,
    properties: {
      order_id: '50314b8e9bcf000000000000',
      affiliation: 'Online Store',
      total: 27.5,
      revenue: 25,
      shipping: 3,
      tax: 2,
      discount: 2.5,
      coupon: 'HOLIDAYS',
      currency: 'EUR',
      products: [
        {
          product_id: '507f1f77bcf86cd799439011',
          sku: '45790-32',
          name: 'Monopoly: 3rd Edition – für die ganze Familie',
          price: 19,
          quantity: 1,
          category: 'Games',
        },
      ],
    },
    context: {
      ip: '203.0.113.27',
      locale: 'de-DE',
      timezone: 'Europe/Berlin',
      userAgent:
        'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
      page: {
        path: '/checkout/done',
        referrer: 'https://shop.example.com/checkout',
        title: 'Danke!',
        url: 'https://shop.example.com/checkout/done',
      },
      library: { name: '@segment/analytics-node', version: '3.1.0' },
    },
    integrations: {},
    _metadata: { nodeVersion: '20.20.2', jsRuntime: 'node' },
  }
}

function placesOf(bytes: Buffer, mark: Buffer): number[] {
  const places: number[] = []
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) places.push(at)
  return places
}

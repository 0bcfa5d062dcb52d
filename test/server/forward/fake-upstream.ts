/** A request as an upstream got it. */
export interface UpstreamCall {
  readonly url: string
  readonly init: RequestInit
  /** The path alone. */
  readonly path: string
  /** Answers it. */
  answer(status: number, headers?: Record<string, string>, body?: string | Uint8Array): void
  fail(error: Error): void
}

/** Stands in for `fetch`: a call waits until the test answers it, or `onCall` does, or its signal aborts it. */
export class FakeUpstream {
  readonly calls: UpstreamCall[] = []
  /** Of those that are not answered yet. */
  waiting = 0
  /** The most that waited at a time. */
  mostWaiting = 0
  onCall: (call: UpstreamCall) => void = () => {}

  readonly fetch: typeof fetch = (input, init = {}) => {
    this.mostWaiting = Math.max(this.mostWaiting, ++this.waiting)
    const answered = new Promise<Response>((resolve, reject) => {
      init.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      const call: UpstreamCall = {
        url: String(input),
        path: new URL(String(input)).pathname,
        init,
        answer: (status, headers = {}, body = '') =>
          resolve(new Response(status === 204 || status === 304 ? null : body, { status, headers })),
        fail: reject,
      }
      this.calls.push(call)
      this.onCall(call)
    })
    return answered.finally(() => this.waiting--)
  }

  get paths(): string[] {
    return this.calls.map(({ path }) => path)
  }
}

/** As `fetch` of Node rejects for a network error. */
export function networkError(code: string): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) })
}

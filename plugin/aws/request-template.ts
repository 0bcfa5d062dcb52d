import { randomUUID } from 'node:crypto'
import type { FirehoseClient } from '@aws-sdk/client-firehose'

/** Of a step that has the request: the overload that TypeScript takes. */
type Middleware = Parameters<FirehoseClient['middlewareStack']['add']>[0]

/** How the SDK has chosen to sign a request. */
type AuthScheme = NonNullable<
  NonNullable<Parameters<Middleware>[1]['__smithy_context']>['selectedHttpAuthScheme']
>

/** The parts of the SDK's requests that are touched here. */
type SdkRequest = Parameters<AuthScheme['signer']['sign']>[0] & { body?: unknown; clone(): SdkRequest }

/** The parts of the SDK's responses that are touched here. */
export interface SdkResponse {
  readonly statusCode: number
  body?: unknown
}

const INVOCATION_ID = 'amz-sdk-invocation-id'
/** The SDK's middleware that signs: what it is given is a request that lacks only the signature. */
const SIGNING = 'httpSigningMiddleware'

/** A request as it is before it is signed, for many bodies. */
export class RequestTemplate {
  readonly #config: FirehoseClient['config']
  readonly #request: SdkRequest
  readonly #scheme: AuthScheme

  constructor(config: FirehoseClient['config'], request: SdkRequest, scheme: AuthScheme) {
    this.#config = config
    this.#request = request
    this.#scheme = scheme
  }

  hasBody(body: Buffer): boolean {
    const own = this.#request.body
    return own instanceof Uint8Array && body.equals(own)
  }

  /** Signs, with the credentials of now, and sends. */
  async send(body: Buffer, abortSignal: AbortSignal): Promise<SdkResponse> {
    const { httpAuthOption, signer } = this.#scheme
    const request = this.#request.clone()
    request.body = body
    request.headers['content-length'] = String(body.length)
    if (INVOCATION_ID in request.headers) request.headers[INVOCATION_ID] = randomUUID()
    // The signer keeps in them what it has to know of this request.
    const properties = { ...httpAuthOption.signingProperties }
    const signed = await signer.sign(request, await this.#config.credentials(), properties)
    const { response } = await this.#config.requestHandler.handle(signed, { abortSignal })
    // By the time of the answer it corrects a clock that is wrong. Those of refusals it is given when they are read.
    if (response.statusCode === 200) signer.successHandler?.(response, properties)
    return response
  }
}

/** Has the SDK make requests up to their signature, and holds them back. */
export class TemplateMaker {
  /** By the input that each is asked for with; undefined until the SDK has made it. */
  readonly #made = new WeakMap<object, RequestTemplate | undefined>()
  readonly #hasSigning: boolean

  constructor(client: FirehoseClient) {
    this.#hasSigning = client.middlewareStack.identify().some((name) => name.startsWith(SIGNING))
    if (!this.#hasSigning) return
    const holdBack: Middleware = (next, context) => async (args) => {
      const scheme = context.__smithy_context?.selectedHttpAuthScheme
      // Without a scheme the SDK fails the call, and tells why.
      if (!this.#made.has(args.input) || scheme === undefined) return next(args)
      this.#made.set(args.input, new RequestTemplate(client.config, args.request as SdkRequest, scheme))
      return { response: undefined, output: { $metadata: {} } }
    }
    client.middlewareStack.addRelativeTo(holdBack, {
      name: 'holdBackTemplate',
      relation: 'before',
      toMiddleware: SIGNING,
    })
    keepSigners(client)
  }

  /**
   * Nothing is sent.
   *
   * @param send - begins the call of `input` as usual
   * @returns undefined where the SDK signs requests by other middleware than it does today
   * @throws what the SDK throws, where it has no credentials for example
   */
  async make(input: object, send: () => Promise<unknown>): Promise<RequestTemplate | undefined> {
    if (!this.#hasSigning) return undefined
    this.#made.set(input, undefined)
    await send()
    return this.#made.get(input)
  }
}

/**
 * The SDK makes a signer for each call, of all settings of the client. They do not change: it asks for the credentials
 * and the time at each signature.
 */
function keepSigners({ config }: FirehoseClient): void {
  const make = config.signer
  const made = new Map<string, ReturnType<typeof make>>()
  config.signer = (scheme) => {
    const key = `${scheme?.signingRegion} ${scheme?.signingName}`
    const known = made.get(key)
    if (known !== undefined) return known
    const signer = make(scheme)
    made.set(key, signer)
    // What fails may succeed at the next call.
    signer.catch(() => made.delete(key))
    return signer
  }
}

import { randomUUID } from 'node:crypto'
import type { FirehoseClient } from '@aws-sdk/client-firehose'

/** Of a step that has the request: the overload that TypeScript takes. */
type Middleware = Parameters<FirehoseClient['middlewareStack']['add']>[0]

/** What comes after the signature: sending, and the reading of the response. */
type Rest = Parameters<Middleware>[0]

/** How the SDK has chosen to sign a request. */
type AuthScheme = NonNullable<
  NonNullable<Parameters<Middleware>[1]['__smithy_context']>['selectedHttpAuthScheme']
>

/** The parts of the SDK's requests that are touched here. */
type SdkRequest = Parameters<AuthScheme['signer']['sign']>[0] & { body?: unknown; clone(): SdkRequest }

/** The parts of the SDK's responses that are touched here. */
interface SdkResponse {
  readonly statusCode: number
  body?: unknown
}

/** What came of a request. */
export interface Answer {
  readonly response: SdkResponse
  /**
   * Has the SDK read the response. That asks for nothing more: an answer must not be lost where credentials cannot be
   * had any longer.
   *
   * @throws what the SDK throws
   */
  read(): Promise<unknown>
}

/** What the SDK has made of a call. */
interface Made {
  readonly config: FirehoseClient['config']
  readonly request: SdkRequest
  readonly scheme: AuthScheme
  readonly read: (response: SdkResponse) => ReturnType<Rest>
}

const INVOCATION_ID = 'amz-sdk-invocation-id'
/** The SDK's middleware that signs: what it is given is a request that lacks only the signature. */
const SIGNING = 'httpSigningMiddleware'

/** A request as it is before it is signed, for many bodies. */
export class RequestTemplate {
  readonly #made: Made

  constructor(made: Made) {
    this.#made = made
  }

  hasBody(body: Buffer): boolean {
    const own = this.#made.request.body
    return own instanceof Uint8Array && body.equals(own)
  }

  /** Signs, with the credentials of now, and sends. */
  async send(body: Buffer, abortSignal: AbortSignal): Promise<Answer> {
    const { config, scheme } = this.#made
    const { httpAuthOption, signer } = scheme
    const request = this.#made.request.clone()
    request.body = body
    request.headers['content-length'] = String(body.length)
    if (INVOCATION_ID in request.headers) request.headers[INVOCATION_ID] = randomUUID()
    // The signer keeps in them what it has to know of this request.
    const properties = { ...httpAuthOption.signingProperties }
    const signed = await signer.sign(request, await config.credentials(), properties)
    const { response } = await config.requestHandler.handle(signed, { abortSignal })
    // By the time of an answer the signer corrects a clock that is wrong.
    if (response.statusCode === 200) signer.successHandler?.(response, properties)
    const read = async () => {
      try {
        return (await this.#made.read(response)).output
      } catch (error) {
        signer.errorHandler?.(properties)(error as Error)
        throw error
      }
    }
    return { response, read }
  }
}

/** Has the SDK make requests up to their signature, and holds them back. */
export class TemplateMaker {
  /** By the input that each is asked for with; undefined until the SDK has made it. */
  readonly #made = new WeakMap<object, RequestTemplate | undefined>()
  /** By the input of a call that was answered: the SDK is to read the answer, and to send nothing. */
  readonly #received = new WeakMap<object, SdkResponse>()
  readonly #hasSigning: boolean

  constructor(client: FirehoseClient) {
    this.#hasSigning = client.middlewareStack.identify().some((name) => name.startsWith(SIGNING))
    if (!this.#hasSigning) return
    const { middlewareStack, config } = client
    const rests = new WeakMap<object, Rest>()
    const keepRest: Middleware = (next, context) => {
      rests.set(context, next)
      return next
    }
    const holdBack: Middleware = (next, context) => async (args) => {
      const scheme = context.__smithy_context?.selectedHttpAuthScheme
      const rest = rests.get(context)
      // Without a scheme the SDK fails the call, and tells why.
      if (!this.#made.has(args.input) || scheme === undefined || rest === undefined) return next(args)
      const read = (response: SdkResponse) => {
        const input = { ...args.input }
        this.#received.set(input, response)
        return rest({ ...args, input })
      }
      const request = args.request as SdkRequest
      this.#made.set(args.input, new RequestTemplate({ config, request, scheme, read }))
      return { response: undefined, output: { $metadata: {} } }
    }
    const giveReceived: Middleware = (next) => async (args) => {
      const response = this.#received.get(args.input)
      return response === undefined ? next(args) : { response, output: { $metadata: {} } }
    }
    middlewareStack.addRelativeTo(keepRest, { name: 'keepRest', relation: 'after', toMiddleware: SIGNING })
    middlewareStack.addRelativeTo(holdBack, { name: 'holdBack', relation: 'before', toMiddleware: SIGNING })
    middlewareStack.add(giveReceived, { name: 'giveReceived', step: 'deserialize', priority: 'low' })
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

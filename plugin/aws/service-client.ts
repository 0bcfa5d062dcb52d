import type { NodeHttpHandlerOptions } from '@smithy/node-http-handler'
import type { Clock } from '../clock.js'
import type { AwsClientConfig } from '../settings/settings.js'
import { AmbientCredentials, type CredentialProvider } from './ambient-credentials.js'
import { answerCollector } from './answer.js'
import type { RepairableClient } from './bounded-call.js'
import type { AwsCredentials } from './credential-cache.js'
import { AwsHttpHandler, dropIdleConnectionsOf } from './http-handler.js'

export interface ServiceClientOptions {
  readonly region: string
  readonly clientConfig?: AwsClientConfig | undefined
  /** A URL for all requests, or `false` for no proxy. @default `HTTPS_PROXY`, unless `NO_PROXY` names the host */
  readonly httpsProxy?: string | false | undefined
  readonly clock: Clock
  /** Bytes of an answer that are read at most. */
  readonly maxAnswerBytes: number
  /** Gives the credentials of a role. @default those of `clientConfig`, else those of this process */
  readonly credentials?: (() => Promise<AwsCredentials>) | undefined
}

/** What a client of an AWS service is made of, and what is done with it while it is used. */
export interface ServiceClientParts {
  /** For the constructor of the SDK's client. */
  readonly config: AwsClientConfig & {
    readonly region: string
    readonly maxAttempts: number
    readonly streamCollector: (body: unknown) => Promise<Uint8Array>
  }
  /** The credentials of this process; `undefined` where they are a role's, or stand in `clientConfig`. */
  readonly ambient: AmbientCredentials | undefined
  /** For after a time-out or a reset. */
  dropIdleConnections(): void
  /** Destroys the client that was made of these parts, and ends fetches of credentials that are under way. */
  destroy(client: { destroy(): void }): void
}

/** A provider of the SDK asks small services for a few hundred bytes. */
const MAX_CREDENTIALS_BYTES = 1024 * 1024

/** Below the wait for a fetch: the SDK shares one that refreshes an SSO session, and its end must come first. */
const CREDENTIALS_REQUEST_MS = 4_000

/**
 * Makes the parts of a client: none of its waits is without a limit, and what one has broken the next does not meet.
 */
export function serviceClient(options: ServiceClientOptions): ServiceClientParts {
  const { region, clientConfig = {}, maxAnswerBytes, credentials } = options
  const { requestHandler: given, credentials: givenCredentials, ...others } = clientConfig
  const requestHandler = requestHandlerOf(given, options.httpsProxy)
  const isStatic = typeof givenCredentials === 'object'
  const ambient = credentials === undefined && !isStatic ? ambientOf(options) : undefined
  const provider = credentials ?? (ambient && (() => ambient.cache.credentials()))
  return {
    config: {
      ...others,
      requestHandler,
      region,
      // The caller decides what is tried again, so that one place knows what was sent how often.
      maxAttempts: 1,
      streamCollector: answerCollector(maxAnswerBytes),
      // Marked as memoized, or the SDK keeps its own copy: it fails calls when a refresh five minutes before the end
      // fails, though the credentials are still good, and it does not let go of ones that were refused.
      credentials: provider ? Object.assign(provider, { memoized: true }) : givenCredentials,
    } as ServiceClientParts['config'],
    ambient,
    dropIdleConnections: () => dropIdle(requestHandler),
    destroy(client) {
      ambient?.close()
      // A request handler that was handed in may serve others: whoever made it closes it.
      if (requestHandler !== given) client.destroy()
    },
  }
}

/** What {@link boundedCall} mends of a client that was made of these parts. */
export function repairsOf({ ambient, dropIdleConnections }: ServiceClientParts): Required<RepairableClient> {
  return {
    dropIdleConnections,
    renewCredentials: () => ambient?.renew(ambient.cache.generation),
    isWaitingForCredentials: () => ambient?.cache.isWaitedFor ?? false,
  }
}

function requestHandlerOf(
  given: AwsClientConfig['requestHandler'],
  httpsProxy: string | false | undefined,
): NonNullable<AwsClientConfig['requestHandler']> {
  // Whoever hands in a handler, or a function that makes its options, decides how requests go out.
  if (given !== undefined && (typeof given === 'function' || 'handle' in given)) return given
  const handler = new AwsHttpHandler({ httpsProxy, options: given as NodeHttpHandlerOptions | undefined })
  return handler as NonNullable<AwsClientConfig['requestHandler']>
}

function dropIdle(handler: object): void {
  if (handler instanceof AwsHttpHandler) handler.dropIdleConnections()
  else dropIdleConnectionsOf(handler)
}

function ambientOf({
  region,
  clientConfig = {},
  httpsProxy,
  clock,
}: ServiceClientOptions): AmbientCredentials {
  const { credentials, requestHandler } = clientConfig
  const ownHandler = typeof requestHandler === 'object' && 'handle' in requestHandler
  const inner = {
    requestHandler: ownHandler ? requestHandler : credentialsHandler(requestHandler, httpsProxy),
    streamCollector: answerCollector(MAX_CREDENTIALS_BYTES),
    maxAttempts: 1,
  }
  // The SDK hands its own client to a provider, which takes the region from it.
  const caller = { ...inner, region: async () => region }
  if (typeof credentials === 'function') {
    const ask = credentials as (options: object) => ReturnType<CredentialProvider>
    const provider: CredentialProvider = (options) => ask({ ...options, callerClientConfig: caller })
    return new AmbientCredentials({ makeProvider: () => provider, clock, source: 'clientConfig.credentials' })
  }
  const makeProvider = async (): Promise<CredentialProvider> => {
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
    const provider = defaultProvider({ clientConfig: inner, parentClientConfig: caller } as object)
    return () => provider({ callerClientConfig: caller } as object)
  }
  return new AmbientCredentials({ makeProvider, clock, source: credentialSource(process.env) })
}

/** For the clients of STS and SSO inside the SDK's providers, whose own requests have no time-out. */
function credentialsHandler(given: unknown, httpsProxy: string | false | undefined): AwsHttpHandler {
  const options = {
    requestTimeout: CREDENTIALS_REQUEST_MS,
    socketTimeout: CREDENTIALS_REQUEST_MS,
    throwOnRequestTimeout: true,
    ...(given as NodeHttpHandlerOptions | undefined),
  }
  return new AwsHttpHandler({ httpsProxy, options })
}

/** Where the SDK's default provider looks, by what is set, for messages. */
function credentialSource(env: Readonly<Record<string, string | undefined>>): string {
  const container = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] ?? env['AWS_CONTAINER_CREDENTIALS_FULL_URI']
  if (env['AWS_PROFILE']) return `the profile ${JSON.stringify(env['AWS_PROFILE'])}`
  if (env['AWS_ACCESS_KEY_ID'] && env['AWS_SECRET_ACCESS_KEY']) return 'the environment'
  if (env['AWS_WEB_IDENTITY_TOKEN_FILE']) return "STS, for this pod's web identity"
  if (container) return `the container's endpoint ${container}`
  return 'the default profile or the instance metadata service'
}

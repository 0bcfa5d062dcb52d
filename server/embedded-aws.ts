import type { ProxyConfiguration } from './config/configuration.js'

/** The local AWS takes any. SECURITY: so the real ones of this machine are neither looked for nor used. */
const CLIENT_CONFIG = {
  credentials: { accessKeyId: 'AKIALOCALAWSEXAMPLE0', secretAccessKey: 'local-aws-takes-any-secret' },
}

/** The configuration with every destination pointed at a local AWS, roles and external IDs as they were. */
export function pointedAt<T extends ProxyConfiguration>(configuration: T, endpoint: string): T {
  const sources = configuration.sources.map((source) => ({
    ...source,
    destinations: source.destinations.map((destination) => ({
      ...destination,
      endpoint,
      stsEndpoint: endpoint,
      clientConfig: CLIENT_CONFIG,
    })),
  }))
  return { ...configuration, sources }
}

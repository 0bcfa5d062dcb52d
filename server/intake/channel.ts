import type { Sender } from '../http/sender.js'
import { isJsonObject } from '../json-object.js'

/** Where an event was made: on a user's device, or on a server. */
export type Channel = 'client' | 'server'

/** What Segment's libraries for browsers and phones call themselves in `context.library.name`, in lower case. */
const CLIENT_LIBRARIES: ReadonlySet<unknown> = new Set([
  'analytics.js',
  'analytics-next',
  '@segment/analytics-next',
  'analytics-ios',
  'analytics-android',
  'analytics-swift',
  'analytics-kotlin',
  'analytics-react-native',
  '@segment/analytics-react-native',
  'analytics-flutter',
  'analytics_flutter',
])

/**
 * The channel of an event that does not say it itself: that of its library; for a library not known `client` where a
 * browser sent it, else `server`.
 *
 * @see https://segment.com/docs/connections/spec/common/
 */
export function channelOf(context: unknown, { isBrowser }: Pick<Sender, 'isBrowser'>): Channel {
  const name = libraryNameOf(context)
  const isOfDevice = name !== undefined && CLIENT_LIBRARIES.has(name.toLowerCase())
  return isOfDevice || isBrowser ? 'client' : 'server'
}

/** What the library that made an event calls itself in the event's context. */
export function libraryNameOf(context: unknown): string | undefined {
  const library = isJsonObject(context) ? context['library'] : undefined
  const name = isJsonObject(library) ? library['name'] : undefined
  return typeof name === 'string' ? name : undefined
}

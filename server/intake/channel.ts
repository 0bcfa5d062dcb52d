import type { Sender } from '../http/sender.js'

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

/** No library's name is longer. */
const MAX_NAME_LENGTH = 64

/**
 * The channel of an event that does not say it itself: that of its library; for a library not known `client` where a
 * browser sent it, else `server`.
 *
 * @param libraryName - `context.library.name`
 * @see https://segment.com/docs/connections/spec/common/
 */
export function channelOf(
  libraryName: string | undefined,
  { isBrowser }: Pick<Sender, 'isBrowser'>,
): Channel {
  const isOfDevice =
    libraryName !== undefined &&
    libraryName.length <= MAX_NAME_LENGTH &&
    CLIENT_LIBRARIES.has(libraryName.toLowerCase())
  return isOfDevice || isBrowser ? 'client' : 'server'
}

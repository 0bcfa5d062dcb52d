import type { PublicUrl } from './public-url.js'
import { stringContent } from './script-text.js'

export interface SnippetParts {
  readonly writeKey: string
  readonly url: PublicUrl
  /** Where analytics.js is to come from there. */
  readonly customPath: string | undefined
}

/** The URL of the script and the CDN that is set. */
const HOST_PLACES = 2

/** The HTML that loads analytics.js from this server, to be pasted into pages. */
export async function renderSnippet({ writeKey, url, customPath }: SnippetParts): Promise<string> {
  // Loaded when it is asked for: most processes never are.
  const { min } = await import('@segment/snippet')
  const host = stringContent(`${url.host}${url.path}${customPath ?? ''}`)
  const script = min({
    apiKey: stringContent(writeKey),
    host,
    // `key` is a variable of the snippet.
    ajsPath:
      customPath === undefined
        ? '/analytics.js/v1/" + encodeURIComponent(key) + "/analytics.min.js'
        : '/" + encodeURIComponent(key) + ".js',
    // Sets `analytics._cdn`, which wins over all that analytics.js finds on its own.
    useHostForBundles: true,
  })
  return `<script>\n${withProtocol(script, host, url.protocol).trim()}\n</script>\n`
}

/** The template knows https only. */
function withProtocol(script: string, host: string, protocol: string): string {
  const parts = script.split(`"https://${host}`)
  if (parts.length !== HOST_PLACES + 1) {
    throw new Error(`@segment/snippet has the host in ${parts.length - 1} places, not ${HOST_PLACES}`)
  }
  return parts.join(`"${protocol}://${host}`)
}

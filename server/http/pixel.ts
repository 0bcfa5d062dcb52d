import type { ServerResponse } from 'node:http'
import { parameterOf } from './endpoint.js'
import { badRequest } from './http-problem.js'

/** A transparent GIF of 1 × 1. */
const GIF = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

/** Whatever became of the event, an e-mail shows a broken image for anything but an image. */
export function answerPixel(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (res.headersSent || res.destroyed) return
  res.writeHead(status, {
    'Content-Type': 'image/gif',
    'Content-Length': GIF.length,
    // Each time it is shown is an event.
    'Cache-Control': 'no-store, max-age=0',
    'X-Content-Type-Options': 'nosniff',
    // Pages that are isolated (COEP) show it too.
    'Cross-Origin-Resource-Policy': 'cross-origin',
    ...headers,
  })
  res.end(GIF)
}

/**
 * The bytes of the event in the URL of a pixel.
 *
 * @throws HttpProblem 400
 * @see https://segment.com/docs/connections/sources/catalog/libraries/server/pixel-tracking-api/
 */
export function pixelBytes(url: string): Buffer {
  const data = parameterOf(url, 'data')
  if (data === undefined) {
    throw badRequest('invalid_request', 'Give the event as base64 of JSON in the parameter `data`')
  }
  // URLSearchParams reads an unescaped plus sign as a space. Node decodes base64 and base64url alike.
  return Buffer.from(withoutEscapes(data).replaceAll(' ', '+'), 'base64')
}

/** Templates and mailers encode URLs that are already encoded. SECURITY: each round reads the whole text again. */
const MAX_EXTRA_ENCODINGS = 3

/** Undoes additional percent-encodings. The alphabet of base64 has no `%`, so each `%` must come from one. */
function withoutEscapes(base64: string): string {
  let text = base64
  for (let round = 0; round < MAX_EXTRA_ENCODINGS && text.includes('%'); round++) {
    text = text.replace(/%([\da-f]{2})/gi, (_escape, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
  return text
}

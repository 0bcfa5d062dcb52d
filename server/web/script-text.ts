import { unicodeEscaped } from '../../plugin/unicode-escape.js'

const UNSAFE = /[<>&'\u007f\u2028\u2029]/g

/**
 * A text as it stands between the quotes of a JavaScript string.
 *
 * SECURITY: the script may stand in HTML, so nothing in the text may end its element, open a comment or a character
 * reference; and some browsers end a line at U+2028 and U+2029, which JSON leaves as they are.
 */
export function stringContent(text: string): string {
  return unicodeEscaped(JSON.stringify(text).slice(1, -1), UNSAFE)
}

/** A text as a JavaScript string, with its quotes. */
export function stringLiteral(text: string): string {
  return `"${stringContent(text)}"`
}

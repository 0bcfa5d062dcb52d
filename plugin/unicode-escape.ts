/** The text with each character that `unsafe`, a global pattern, finds as JSON and JavaScript write it: `\u001b`. */
export function unicodeEscaped(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Control characters and line separators that JSON leaves as they are, and what turns the direction of text. */
const LEFT_BY_JSON = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The text in quotes. SECURITY: a sender's own line breaks would forge log lines, and terminals obey the rest. */
export function quoted(text: string): string {
  return unicodeEscaped(JSON.stringify(text), LEFT_BY_JSON)
}

/** The text with each character that `unsafe`, a global pattern, finds as JSON and JavaScript write it: `\u001b`. */
export function unicodeEscaped(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

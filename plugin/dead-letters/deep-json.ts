/** What is still to be written: text as it is, or a value. */
type Piece = { readonly text: string } | { readonly value: unknown }

/**
 * JSON of what JSON.parse has made, however deep it is: JSON.stringify recurses, and ends where the stack does.
 *
 * @param root - without cycles
 */
export function deepJson(root: unknown): string {
  const rest: Piece[] = [{ value: root }]
  let json = ''
  for (let piece = rest.pop(); piece !== undefined; piece = rest.pop()) {
    if ('text' in piece) json += piece.text
    else if (typeof piece.value === 'object' && piece.value !== null) {
      for (const part of piecesOf(piece.value).reverse()) rest.push(part)
    } else json += JSON.stringify(piece.value)
  }
  return json
}

function piecesOf(value: object): Piece[] {
  const isArray = Array.isArray(value)
  const pieces: Piece[] = [{ text: isArray ? '[' : '{' }]
  for (const [key, member] of Object.entries(value)) {
    if (pieces.length > 1) pieces.push({ text: ',' })
    if (!isArray) pieces.push({ text: `${JSON.stringify(key)}:` })
    pieces.push({ value: member })
  }
  pieces.push({ text: isArray ? ']' : '}' })
  return pieces
}

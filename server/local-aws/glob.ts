/**
 * Whether `text` matches an IAM pattern: `*` is any run of characters, `?` is any one.
 *
 * SECURITY: not a regular expression, because session policies come with a request and a crafted pattern
 * could make one run for minutes. This takes at most |pattern| × |text| steps.
 */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let resumeAt = 0
  while (t < text.length) {
    const symbol = pattern[p]
    if (symbol === '*') {
      star = p++
      resumeAt = t
    } else if (symbol === '?' || symbol === text[t]) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++resumeAt
    } else {
      return false
    }
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}

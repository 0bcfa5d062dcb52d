import { readFileSync } from 'node:fs'

export const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** The code of the block that `<!-- run: NAME -->` or `<!-- file: NAME -->` stands before. */
export function block(name: string): string {
  for (const mark of [`<!-- run: ${name} -->`, `<!-- file: ${name} -->`]) {
    const code = README.split(`${mark}\n`)[1]?.match(/^```\w+\n([\s\S]*?)^```$/m)?.[1]
    if (code !== undefined) return code
  }
  throw new Error(`README.md has no block marked ${name}`)
}

/** Names of all blocks that are to run. */
export function runnable(): string[] {
  return [...README.matchAll(/<!-- run: (\S+) -->/g)].map((match) => match[1] as string)
}

/** Each relative link's target. */
export function links(): string[] {
  return [...README.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] as string)
}

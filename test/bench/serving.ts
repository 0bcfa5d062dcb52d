import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from './cleanup.js'
import { Part } from './part.js'
import { BINARY, builtFile } from './places.js'

export const WRITE_KEY = 'key-of-the-bench-source'

/** What `serve` is configured with, besides that it delivers to a stub. */
export interface ServingOptions {
  readonly endpoint: string
  /** One source for each. @default one */
  readonly writeKeys?: readonly string[]
  readonly mappedStreams?: readonly { readonly event: string; readonly stream: string }[]
  /** Of `serve`, besides those for the port and the log. */
  readonly flags?: readonly string[]
  /** Sources as the config file has them, but for the endpoint, in place of those of `writeKeys`. */
  readonly sources?: readonly SourceOptions[]
  /** Files to write beside the config file, by name. */
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Programs of `parts/` that each of its processes loads first. */
  readonly preload?: readonly string[]
}

interface SourceOptions {
  readonly id: string
  readonly destination?: object
  readonly [setting: string]: unknown
}

const TO_ONE_STREAM = [{ event: '*', stream: 'bench' }]
const LISTENING = /^Listening on (\S+)$/m

export interface Serving {
  readonly part: Part
  readonly url: string
  /** Where it runs, and what it writes. */
  readonly cwd: string
}

/** The product as its users run it: `analytics-firehose serve`, in a directory of its own. */
export async function startServing(options: ServingOptions, cleanup: Cleanup): Promise<Serving> {
  const cwd = mkdtempSync(join(tmpdir(), 'analytics-firehose-bench-'))
  cleanup.defer(() => rmSync(cwd, { recursive: true }))
  const files = { ...options.files, 'analytics-firehose.yaml': JSON.stringify(configOf(options)) }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)
  const part = new Part({
    script: BINARY,
    args: ['serve', '--port', '0', '--log-level', 'warn', ...(options.flags ?? [])],
    execArgv: ['meter', ...(options.preload ?? [])].flatMap((name) => [
      '--import',
      builtFile(`parts/${name}.js`),
    ]),
    cwd,
    ...(options.env && { env: options.env }),
  })
  cleanup.defer(() => part.stop())
  return { part, url: await part.prints(LISTENING), cwd }
}

function configOf({
  endpoint,
  writeKeys = [WRITE_KEY],
  mappedStreams = TO_ONE_STREAM,
  sources,
}: ServingOptions) {
  const all: readonly SourceOptions[] =
    sources ?? writeKeys.map((writeKey, i) => ({ id: `src_${i}`, writeKey }))
  return {
    sources: all.map((source) => ({
      ...source,
      destination: { region: 'us-west-2', endpoint, mappedStreams, ...source.destination },
    })),
  }
}

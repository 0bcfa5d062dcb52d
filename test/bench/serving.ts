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
}

const TO_ONE_STREAM = [{ event: '*', stream: 'bench' }]
const LISTENING = /^Listening on (\S+)$/m

export interface Serving {
  readonly part: Part
  readonly url: string
}

/** The product as its users run it: `analytics-firehose serve`, in a directory of its own. */
export async function startServing(options: ServingOptions, cleanup: Cleanup): Promise<Serving> {
  const cwd = mkdtempSync(join(tmpdir(), 'analytics-firehose-bench-'))
  cleanup.defer(() => rmSync(cwd, { recursive: true }))
  writeFileSync(join(cwd, 'analytics-firehose.yaml'), JSON.stringify(configOf(options)))
  const part = new Part({
    script: BINARY,
    args: ['serve', '--port', '0', '--log-level', 'warn', ...(options.flags ?? [])],
    execArgv: ['--import', builtFile('parts/meter.js')],
    cwd,
  })
  cleanup.defer(() => part.stop())
  return { part, url: await part.prints(LISTENING) }
}

function configOf({ endpoint, writeKeys = [WRITE_KEY], mappedStreams = TO_ONE_STREAM }: ServingOptions) {
  const sources = writeKeys.map((writeKey, i) => ({
    id: `src_${i}`,
    writeKey,
    destination: { region: 'us-west-2', endpoint, mappedStreams },
  }))
  return { sources }
}

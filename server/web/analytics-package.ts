import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The installed package that analytics.js comes from. */
export interface AnalyticsPackage {
  readonly version: string
  /** What it is served from on Segment's CDN. */
  readonly folder: string
}

export async function findAnalyticsPackage(): Promise<AnalyticsPackage> {
  const manifest = createRequire(import.meta.url).resolve('@segment/analytics-next/package.json')
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
  return { version, folder: join(dirname(manifest), 'dist', 'umd') }
}

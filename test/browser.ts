import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** As distributions call it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** A Chromium on the PATH, or undefined where there is none. */
export function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable)
}

/** Under CI a browser must be there; elsewhere a test may be skipped for want of it, and says so. */
export function requireBrowserInCi(browser: string | undefined): void {
  if (browser !== undefined) return
  const message = 'No Chromium found on the PATH: the tests that need a browser do not run.'
  if (process.env['CI'] === 'true') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

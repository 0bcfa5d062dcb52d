import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { listen } from '../proxy-harness.js'

/** Where a site has the browser build of the npm package. */
export const PACKAGE_PATH = '/analytics-next.js'

/** The `head` of each of its pages may be set when more is known. */
export interface Site {
  readonly url: string
  head: string
}

/** A web site of an origin of its own. */
export async function startSite(head = ''): Promise<Site> {
  const site = { url: '', head }
  site.url = await listen(pagesOf(site))
  return site
}

export function pagesOf(site: Pick<Site, 'head'>): RequestListener {
  return ({ url = '' }, res) => {
    if (url === PACKAGE_PATH) {
      res.writeHead(200, { 'Content-Type': 'text/javascript' }).end(packageFile())
      return
    }
    const html = `<!doctype html><title>Shop</title>${site.head}<a id="link" href="/next">Next</a>`
    res.writeHead(200, { 'Content-Type': 'text/html' }).end(html)
  }
}

function packageFile(): Buffer {
  const require = createRequire(import.meta.url)
  const main = require.resolve('@segment/analytics-next')
  return readFileSync(join(dirname(main), '../umd/index.js'))
}

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { findBrowser, requireBrowserInCi } from '../../browser.js'

const executable = findBrowser()
requireBrowserInCi(executable)

export const whereThereIsABrowser: typeof describe.skip = executable === undefined ? describe.skip : describe

const THIS_MACHINE: readonly string[] = ['localhost', '127.0.0.1']

/** For what the browser asks on its own errands, as for updates. */
const NOBODY_ELSE = `MAP * ~NOTFOUND, ${THIS_MACHINE.map((host) => `EXCLUDE ${host}`).join(', ')}`

/** Someone with a browser, from whom each test may have pages. */
export interface Visitor {
  open(url: string): Promise<Page>
  /** Other hosts that were asked for something in this test, which fails unless it takes them out. */
  readonly elsewhere: string[]
  /** All that its pages asked for in this test, but for preflights. */
  readonly asked: readonly string[]
}

/**
 * A visitor for the tests of a `describe`. A test fails where its pages ask any other host for anything, or throw.
 *
 * Hosts are watched by a proxy that pages have to take for others than this machine, and not by `page.route`:
 * Playwright answers the preflights of routed pages itself, and says yes to all.
 */
export function visitor(options: BrowserContextOptions = {}): Visitor {
  const elsewhere: string[] = []
  const asked: string[] = []
  const problems: string[] = []
  const watch = watchFor(elsewhere)
  let browser: Browser
  let context: BrowserContext | undefined

  beforeAll(async () => {
    await new Promise<void>((resolve) => watch.listen(0, '127.0.0.1', resolve))
    const args = ['--no-sandbox', `--host-resolver-rules=${NOBODY_ELSE}`]
    browser = await chromium.launch({ executablePath: executable ?? '', args })
  })
  afterAll(async () => {
    await browser.close()
    await new Promise((resolve) => {
      watch.close(resolve)
      watch.closeAllConnections()
    })
  })
  afterEach(async () => {
    await context?.close()
    context = undefined
    asked.splice(0)
    expect(elsewhere.splice(0)).toEqual([])
    expect(problems.splice(0)).toEqual([])
  })

  const newContext = async () => {
    const server = `http://127.0.0.1:${(watch.address() as AddressInfo).port}`
    const proxy = { server, bypass: THIS_MACHINE.join(',') }
    const made = await browser.newContext({ ...options, proxy })
    made.on('request', (request) => {
      const { hostname, href } = new URL(request.url())
      asked.push(href)
      if (!THIS_MACHINE.includes(hostname)) elsewhere.push(href)
    })
    made.on('weberror', (error) => void problems.push(String(error.error())))
    return made
  }
  return {
    elsewhere,
    asked,
    async open(url) {
      context ??= await newContext()
      const page = await context.newPage()
      await page.goto(url)
      return page
    },
  }
}

/** A proxy that notes what it is asked for, and refuses it. */
function watchFor(elsewhere: string[]): Server {
  const server = createServer((req, res) => {
    elsewhere.push(req.url ?? '')
    res.writeHead(403).end()
  })
  return server.on('connect', (req, socket) => {
    elsewhere.push(req.url ?? '')
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
  })
}

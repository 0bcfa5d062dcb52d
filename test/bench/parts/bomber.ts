import { Agent, type IncomingMessage, request } from 'node:http'
import { BOMBS, type Bomb, wireBytes } from './bombs.js'
import { announce, answerCommands } from './commands.js'

/** What `fire` is asked for. */
export interface Fire {
  readonly url: string
  readonly name: string
  /** How many are sent at once, each on a connection of its own. */
  readonly count: number
}

/** What became of them. */
export interface Fired {
  readonly wireBytes: number
  /** Before it was compressed. */
  readonly bytes: number
  /** How many had each answer: its status and code; `none` for no answer. */
  readonly answers: Readonly<Record<string, number>>
  /** Until the last answer came. */
  readonly seconds: number
}

const LONGEST_MS = 120_000

async function fire({ url, name, count }: Fire): Promise<Fired> {
  const bomb = BOMBS.find((one) => one.name === name)
  if (bomb === undefined) throw new Error(`There is no bomb ${name}`)
  const wire = wireBytes(bomb)
  const { length: bytes } = bomb.body()
  const from = performance.now()
  const all = await Promise.all(Array.from({ length: count }, () => send(url, bomb, wire)))
  const seconds = (performance.now() - from) / 1_000
  const answers: Record<string, number> = {}
  for (const answer of all) answers[answer] = (answers[answer] ?? 0) + 1
  return { wireBytes: wire.length, bytes, answers, seconds }
}

function send(url: string, bomb: Bomb, body: Buffer): Promise<string> {
  const { path, encoding, source = 'plain', isAuthorized = true } = bomb
  const headers = {
    'Content-Length': body.length,
    ...(encoding !== undefined && { 'Content-Encoding': encoding }),
    ...(isAuthorized && { Authorization: `Basic ${Buffer.from(`bombed-${source}:`).toString('base64')}` }),
  }
  const agent = new Agent({ keepAlive: false })
  return new Promise((resolve) => {
    const sending = request(`${url}${path}`, { method: 'POST', headers, agent, timeout: LONGEST_MS })
    sending.on('response', (response) => void answerOf(response).then(resolve))
    sending.on('timeout', () => sending.destroy())
    sending.on('error', () => resolve('none'))
    sending.end(body)
  })
}

async function answerOf(response: IncomingMessage): Promise<string> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const { code = '' } = JSON.parse(Buffer.concat(chunks).toString()) as { code?: string }
    return `${response.statusCode} ${code}`.trim()
  } catch {
    return 'none'
  }
}

answerCommands({ fire })
announce({})

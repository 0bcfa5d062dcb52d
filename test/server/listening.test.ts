import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { listen } from '../../server/listening.js'

const server = createServer()

afterEach(() => {
  server.close()
})

describe('a server that listens', () => {
  it('outlives what keeps it from accepting connections, and logs it once a minute', async () => {
    const lines: string[] = []
    const log = (line: unknown) => void lines.push(String(line))
    const settings = { host: '--host', port: '--port' }
    const logger = { info: log, warn: log, error: log }
    await listen(server, { host: '127.0.0.1', port: 0 }, { settings, logger })
    for (let i = 0; i < 3; i++) server.emit('error', Object.assign(new Error('accept'), { code: 'EMFILE' }))
    server.emit('error', new Error('something else'))
    expect(lines).toEqual([
      '1 connection(s) could not be accepted: EMFILE',
      '1 connection(s) could not be accepted: something else',
    ])
  })
})

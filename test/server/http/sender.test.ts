import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { trustOf } from '../../../server/http/client-address.js'
import { senderOf } from '../../../server/http/sender.js'

const userAgentOf = (userAgent: string | undefined) =>
  senderOf({ headers: { 'user-agent': userAgent }, socket: {} } as unknown as IncomingMessage, trustOf(false))
    .userAgent

/** As Node reads the bytes of a header. */
const asRead = (text: string, encoding: BufferEncoding = 'utf8') =>
  Buffer.from(text, encoding).toString('latin1')

describe('the user agent of a sender', () => {
  it.each([
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)',
    'Größe/1.0 (Übung; München)',
    '天气/5.2 (iPhone; iOS 18.0)',
    'App 🚀/1',
    '',
  ])('is the text that was sent as UTF-8: %s', (text) => {
    expect(userAgentOf(asRead(text))).toBe(text)
  })

  it('is as Node reads it where it is no UTF-8', () => {
    expect(userAgentOf(asRead('Größe/1.0', 'latin1'))).toBe('Größe/1.0')
    expect(userAgentOf(asRead('Größe', 'latin1') + asRead('天'))).toBe(`Größe${asRead('天')}`)
  })

  it('is left alone where something before has decoded it', () => {
    expect(userAgentOf('天气/5.2')).toBe('天气/5.2')
  })

  it('is not there where none was sent', () => {
    expect(userAgentOf(undefined)).toBeUndefined()
  })

  it.each(['a', 'ö', '天', '🚀'])('is cut where it is too long, and between characters: %s', (character) => {
    for (const before of ['', 'x']) {
      const cut = userAgentOf(asRead(before + character.repeat(2_000))) ?? ''
      expect(cut.length).toBeLessThanOrEqual(1_024)
      expect(cut.length).toBeGreaterThan(1_020)
      expect(cut).toMatch(new RegExp(`^${before}(?:${character})+$`, 'u'))
    }
  })

  it('comes whole through the HTTP server of Node', async () => {
    const seen: (string | undefined)[] = []
    const server = createServer((req, res) => {
      seen.push(senderOf(req, trustOf(false)).userAgent)
      res.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.end(
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: Größe 天气\r\nConnection: close\r\n\r\n'),
    )
    await once(socket.resume(), 'close')
    server.close()
    expect(seen).toEqual(['Größe 天气'])
  })
})

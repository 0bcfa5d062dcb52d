import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { requestIdOf } from '../../../server/http/request-id.js'

const idOf = (given: string | string[] | undefined, isTrusted = true) => {
  const headers: IncomingHttpHeaders = given === undefined ? {} : { 'x-request-id': given }
  return requestIdOf({ headers } as IncomingMessage, { isTrusted, newId: () => 'new-id' })
}

describe('requestIdOf', () => {
  it.each([
    'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'Root=1-67891233-abcdef012345678912345678',
    'a',
    'a/b+c==@host:1_2.3',
    'x'.repeat(128),
  ])('keeps what a trusted proxy gave: %s', (given) => {
    expect(idOf(given)).toBe(given)
  })

  it.each([
    undefined,
    '',
    'x'.repeat(129),
    'two words',
    'a, b',
    'a\n',
    'a\r\nSet-Cookie: a=b',
    'a\u001b[2J',
    '{"level":"error"}',
    'é',
    '<script>',
    ['a', 'b'],
  ])('makes a new one in place of %j', (given) => {
    expect(idOf(given)).toBe('new-id')
  })

  it('believes no one else', () => {
    expect(idOf('abc', false)).toBe('new-id')
  })
})

import { describe, expect, it } from '@jest/globals'
import { forwardedRequest } from '../../../server/forward/forwarded-request.js'

const body = Buffer.from('{}')

describe('a forwarded request', () => {
  it('keeps what Segment reads, and nothing else', () => {
    const kept = {
      'content-type': 'text/plain',
      'content-encoding': 'gzip',
      'user-agent': 'Mozilla/5.0',
      'x-retry-count': '2',
      'accept-language': 'de',
    }
    const dropped = {
      authorization: 'Basic c2l0ZTpwYXNzd29yZA==',
      cookie: 'session=1',
      'set-cookie': ['session=1'],
      host: 'events.example.com',
      origin: 'https://example.com',
      referer: 'https://example.com/private',
      connection: 'keep-alive',
      'transfer-encoding': 'chunked',
      'content-length': '2',
      expect: '100-continue',
      'proxy-authorization': 'Basic cHJveHk6',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'internal',
      forwarded: 'for=1.2.3.4',
      'x-real-ip': '1.2.3.4',
      'x-amz-security-token': 'token',
    }
    const request = { path: '/v1/batch', headers: { ...dropped, ...kept }, writeKey: undefined, body }
    expect(forwardedRequest({ ...request, clientIp: undefined })).toEqual({
      path: '/v1/batch',
      headers: kept,
      body,
    })
    expect(forwardedRequest({ ...request, clientIp: '198.51.100.7' }).headers).toEqual({
      ...kept,
      'x-forwarded-for': '198.51.100.7',
    })
  })

  it('has the write key as HTTP Basic user name, and nothing else that stood there', () => {
    const headers = { authorization: `Basic ${Buffer.from('schlüssel:password').toString('base64')}` }
    const request = { path: '/v1/batch', headers, writeKey: 'schlüssel', clientIp: undefined, body }
    const authorization = `Basic ${Buffer.from('schlüssel:').toString('base64')}`
    expect(forwardedRequest(request).headers).toEqual({ authorization })
  })

  it('has no headers that were not sent, and no query', () => {
    const request = {
      path: '/v1/t?writeKey=secret',
      headers: {},
      writeKey: undefined,
      clientIp: undefined,
      body,
    }
    expect(forwardedRequest(request)).toEqual({ path: '/v1/t', headers: {}, body })
  })
})

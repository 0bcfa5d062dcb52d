import { describe, expect, it } from '@jest/globals'
import {
  badRequest,
  HttpProblem,
  internalError,
  unauthorized,
  unavailable,
} from '../../../server/http/http-problem.js'
import { RefusalNotices } from '../../../server/http/refusal-notices.js'
import { FakeClock } from '../../fake-clock.js'

function harness() {
  const clock = new FakeClock()
  const lines: string[] = []
  const notices = new RefusalNotices(
    { info() {}, warn: (line: string) => lines.push(line), error() {} },
    clock,
  )
  return { clock, lines, notices }
}

describe('refusals in the log', () => {
  it('are told by cause, at once, and then once a minute at most with their count, the last ones too', async () => {
    const { clock, lines, notices } = harness()
    for (let i = 0; i < 5; i++) notices.note(unauthorized('The write key is not known here'))
    notices.note(badRequest('malformed_json', 'The body is not valid JSON'))
    await clock.advance(59_999)
    notices.note(unauthorized('The write key is not known here'))
    await clock.advance(1)
    notices.note(unauthorized('The write key is not known here'))
    notices.flush()
    expect(lines).toEqual([
      'Refused 1 request(s) with 401 invalid_write_key: The write key is not known here',
      'Refused 1 request(s) with 400 malformed_json: The body is not valid JSON',
      'Refused 5 request(s) with 401 invalid_write_key: The write key is not known here',
      'Refused 1 request(s) with 401 invalid_write_key: The write key is not known here',
    ])
  })
  it('name the source, where it is known, and the setting to raise', async () => {
    const { clock, lines, notices } = harness()
    const limited = new HttpProblem(429, 'rate_limited', 'Too many requests')
    const full = unavailable('memory_full', 'Too much is waiting')
    notices.note(limited, 'Website')
    notices.note(limited, 'App')
    notices.note(full)
    for (let i = 0; i < 3; i++) notices.note(limited, 'Website')
    notices.note(badRequest('malformed_json', 'No JSON'), 'Website')
    await clock.advance(60_000)
    expect(lines).toEqual([
      "Turned away 1 request(s) of Website with 429 rate_limited: Too many requests (raise the source's rateLimit to take more)",
      "Turned away 1 request(s) of App with 429 rate_limited: Too many requests (raise the source's rateLimit to take more)",
      'Turned away 1 request(s) with 503 memory_full: Too much is waiting (raise maxBufferedBytes to take more)',
      'Refused 1 request(s) of Website with 400 malformed_json: No JSON',
      "Turned away 3 request(s) of Website with 429 rate_limited: Too many requests (raise the source's rateLimit to take more)",
    ])
  })

  it('are summed to one line a minute in an outage, whatever the reasons', async () => {
    const { clock, lines, notices } = harness()
    const down = (why: string) => unavailable('not_delivered', `Not for now (${why})`)
    notices.note(down('ERR_DELIVERY_TIMEOUT'), 'Website')
    notices.note(down('ERR_DELIVERY_TIMEOUT'), 'Website')
    notices.note(down('ERR_STREAM_UNAVAILABLE'), 'Website')
    await clock.advance(60_000)
    expect(lines).toEqual([
      'Turned away 1 request(s) of Website with 503 not_delivered: Not for now (ERR_DELIVERY_TIMEOUT)',
      'Turned away 2 request(s) of Website with 503 not_delivered: Not for now (ERR_STREAM_UNAVAILABLE)',
    ])
  })

  it('leave out what the log has by itself: that the process ends, and defects', () => {
    const { lines, notices } = harness()
    notices.note(unavailable('closing', 'This server is shutting down'))
    notices.note(internalError(), 'Website')
    expect(lines).toEqual([])
  })
})

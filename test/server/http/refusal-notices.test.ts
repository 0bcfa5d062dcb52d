import { describe, expect, it } from '@jest/globals'
import { badRequest, unauthorized } from '../../../server/http/http-problem.js'
import { RefusalNotices } from '../../../server/http/refusal-notices.js'
import { FakeClock } from '../../fake-clock.js'

describe('refusals in the log', () => {
  it('are told by cause, at once, and then once a minute at most with their count, the last ones too', async () => {
    const clock = new FakeClock()
    const lines: string[] = []
    const notices = new RefusalNotices(
      { info() {}, warn: (line: string) => lines.push(line), error() {} },
      clock,
    )
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
})

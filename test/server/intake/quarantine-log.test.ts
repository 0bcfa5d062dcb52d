import { expect, it } from '@jest/globals'
import { logQuarantine } from '../../../server/intake/quarantine-log.js'

it('shows no control character of a message ID, which a terminal would obey', () => {
  const lines: string[] = []
  const log = (line: string) => void lines.push(line)
  const messageId = 'a\n\u001b[2J\u009b31m\u2028b'
  logQuarantine({ info: log, warn: log, error: log }, [
    { source: undefined, messageId, stream: undefined, code: 'ERR_INVALID_EVENT', reason: 'why' },
  ])
  expect(lines).toEqual([
    'ERR_INVALID_EVENT: gave up 1 event(s) of no known source: why (messageId "a\\n\\u001b[2J\\u009b31m\\u2028b")',
  ])
})

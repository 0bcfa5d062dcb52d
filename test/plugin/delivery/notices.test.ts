import { describe, expect, it } from '@jest/globals'
import { Notices } from '../../../plugin/delivery/notices.js'

function harness(owner?: () => string) {
  const lines: string[] = []
  const log = (line: string) => void lines.push(line)
  const notices = new Notices({
    logger: { info: log, warn: log, error: log },
    stream: 'new_users',
    owner,
    policyStatement: '{}',
    isSpilling: true,
  })
  return { lines, notices }
}

function tellAll(notices: Notices) {
  notices.stalled(30_000, undefined)
  notices.parked(new Error('no such stream'))
  notices.recovered()
  notices.fellBackToPutRecord()
}

describe('the notices of a stream', () => {
  it('name its owner, by what that is called then', () => {
    let owner = 'Website'
    const { lines, notices } = harness(() => owner)
    tellAll(notices)
    owner = 'Shop'
    notices.stalled(1_000, new Error('throttled'))
    expect(lines).toEqual([
      'Stream "new_users" of Website takes no records, they are spilled after 30000 ms: no answer yet',
      'Stream "new_users" of Website cannot be written, records are spilled until it can: no such stream',
      'Stream "new_users" of Website takes records again',
      expect.stringMatching(
        /^The role may not call PutRecordBatch on stream "new_users" of Website: sending by /,
      ),
      'Stream "new_users" of Shop takes no records, they are spilled after 1000 ms: throttled',
    ])
  })

  it('log another cause of the same outage, and each cause once in a row', () => {
    const { lines, notices } = harness()
    const caused = (name: string, message: string) =>
      new Error(message, { cause: Object.assign(new Error(message), { name }) })
    notices.parked(caused('AccessDenied', 'the role is refused: request 1'))
    notices.parked(caused('AccessDenied', 'the role is refused: request 2'))
    notices.parked(caused('ResourceNotFoundException', 'no such stream'))
    notices.recovered()
    notices.parked(caused('ResourceNotFoundException', 'no such stream'))
    expect(lines.map((line) => line.split(': ')[1] ?? line)).toEqual([
      'the role is refused',
      'no such stream',
      'Stream "new_users" takes records again',
      'no such stream',
    ])
  })

  it('name the stream alone where it has none', () => {
    const { lines, notices } = harness()
    tellAll(notices)
    expect(lines.map((line) => line.slice(0, 30))).toEqual([
      'Stream "new_users" takes no re',
      'Stream "new_users" cannot be w',
      'Stream "new_users" takes recor',
      'The role may not call PutRecor',
    ])
    expect(lines[3]).toContain('PutRecordBatch on stream "new_users": sending by PutRecord')
  })
})

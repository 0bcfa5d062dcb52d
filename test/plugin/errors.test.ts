import { describe, expect, it } from '@jest/globals'
import { ERROR_CODES, FirehoseError } from '../../plugin/errors.js'

describe('FirehoseError', () => {
  it('has a code for programs, a message for people, and what lies below it', () => {
    const cause = new Error('below')
    const error = new FirehoseError('ERR_CLOSED', 'closed; open another', { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'FirehoseError',
      code: 'ERR_CLOSED',
      message: 'closed; open another',
      cause,
    })
    expect(`${error}`).toBe('FirehoseError: closed; open another')
  })

  it('has no cause where there is none', () => {
    expect(new FirehoseError('ERR_CLOSED', 'closed')).not.toHaveProperty('cause')
  })

  it('is permanent where the event itself is at fault', () => {
    const permanent = ERROR_CODES.filter((code) => new FirehoseError(code, '').permanent)
    expect(permanent).toEqual([
      'ERR_UNSERIALIZABLE',
      'ERR_TRANSFORM',
      'ERR_RECORD_TOO_LARGE',
      'ERR_BATCH_TOO_LARGE',
      'ERR_RECORD_REJECTED',
    ])
  })
})

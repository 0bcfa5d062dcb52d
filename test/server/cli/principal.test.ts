import { describe, expect, it } from '@jest/globals'
import { parsePrincipal } from '../../../server/cli/principal.js'

describe('a principal', () => {
  it.each([
    'arn:aws:iam::111122223333:role/proxy',
    'arn:aws:iam::111122223333:user/team/proxy',
    'arn:aws-cn:iam::111122223333:root',
    'arn:aws:sts::111122223333:federated-user/proxy',
    '111122223333',
  ])('is taken as it is: %s', (text) => {
    expect(parsePrincipal(text)).toEqual({ principal: text, note: undefined })
  })

  it.each([
    [
      'arn:aws:sts::111122223333:assumed-role/proxy/i-0abc',
      'arn:aws:iam::111122223333:role/proxy',
      'aws iam get-role --role-name proxy --query Role.Arn',
    ],
    [
      'arn:aws-us-gov:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/me@example.com',
      'arn:aws-us-gov:iam::111122223333:role/AWSReservedSSO_Admin_0123456789abcdef',
      'aws iam get-role --role-name AWSReservedSSO_Admin_0123456789abcdef --query Role.Arn',
    ],
  ])('is the role of a session, whose path is to be added by hand: %s', (text, role, command) => {
    const { principal, note } = parsePrincipal(text)
    expect(principal).toBe(role)
    expect(note).toContain(`--principal: took the role of this session, ${role}`)
    expect(note).toContain(command)
  })

  it.each(['me', '11112222333', 'arn:aws:s3:::bucket', 'arn:aws:sts::111122223333:assumed-role/proxy'])(
    'is refused: %s',
    (text) => {
      expect(() => parsePrincipal(text)).toThrow('Give an ARN')
    },
  )
})

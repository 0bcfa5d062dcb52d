import { authenticationError } from './authentication-error.js'
import { AwsError } from './aws-error.js'
import type { Fault } from './fault.js'
import type { Answer, Service } from './service.js'

/** What is to happen on the connection. */
export type Reply =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** The answer's head and half of its body, then the cut. */
  | { readonly kind: 'cut-within'; readonly answer: Answer }
  | { readonly kind: 'cut' }
  | { readonly kind: 'hang' }

const PROXY_PAGE = '<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>'

/** What a fault does instead of the call. @throws AwsError where it is an error answer */
export function replyInstead(fault: Fault | undefined, service: Service): Reply | undefined {
  switch (fault?.kind) {
    case 'hang':
      return { kind: 'hang' }
    case 'disconnect':
      return { kind: 'cut' }
    case 'throttle':
      if (service === 's3') throw new AwsError('SlowDown', 503, 'Please reduce your request rate.')
      throw new AwsError('ServiceUnavailableException', 503, 'Slow down.')
    case 'error':
      throw new AwsError(fault.code, fault.status ?? 400, fault.message ?? fault.code)
    case 'expired-token':
      throw authenticationError(service, 'expired-credentials')
    default:
      return undefined
  }
}

/** What a fault makes of the answer to a call that has been done. */
export function replyAfter(fault: Fault | undefined, answer: Answer): Reply {
  switch (fault?.kind) {
    case 'disconnect-after':
      return fault.cut === 'within' ? { kind: 'cut-within', answer } : { kind: 'cut' }
    case 'garbage':
      return {
        kind: 'answer',
        answer: { ...answer, body: fault.body ?? PROXY_PAGE, status: fault.status ?? 200 },
      }
    case 'truncated':
      return { kind: 'answer', answer: { ...answer, body: firstHalf(answer.body) } }
    case 'wrong-responses':
      return { kind: 'answer', answer: { ...answer, body: withWrongResponses(answer.body, fault.responses) } }
    default:
      return { kind: 'answer', answer }
  }
}

/** Cut between two characters, at the middle. */
export function firstHalf(text: string): string {
  return text.slice(0, Math.floor(text.length / 2))
}

function withWrongResponses(body: string, how: 'missing' | 'short' | 'long'): string {
  const { RequestResponses: responses, ...rest } = JSON.parse(body) as { RequestResponses?: unknown[] }
  if (responses === undefined) return body
  if (how === 'missing') return JSON.stringify(rest)
  const changed = how === 'short' ? responses.slice(0, -1) : [...responses, responses.at(-1)]
  return JSON.stringify({ ...rest, RequestResponses: changed })
}

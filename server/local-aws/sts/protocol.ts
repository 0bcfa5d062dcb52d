import { XmlNode } from '@aws-sdk/xml-builder'
import type { AwsError } from '../aws-error.js'
import type { Answer } from '../service.js'
import type { StsResult } from './operation.js'

export const API_VERSION = '2011-06-15'

const NAMESPACE = `https://sts.amazonaws.com/doc/${API_VERSION}/`

/** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
export function xmlAnswer(action: string, result: StsResult, requestId: string): Answer {
  const metadata = new XmlNode('ResponseMetadata', [XmlNode.of('RequestId', requestId)])
  const root = new XmlNode(`${action}Response`, [element(`${action}Result`, result), metadata])
  return answer(200, root)
}

export function xmlError({ code, status, message }: AwsError, requestId: string): Answer {
  const type = status >= 500 ? 'Receiver' : 'Sender'
  const error = element('Error', { Type: type, Code: code, Message: printable(message) })
  return answer(status, new XmlNode('ErrorResponse', [error, XmlNode.of('RequestId', requestId)]))
}

function answer(status: number, root: XmlNode): Answer {
  root.addAttribute('xmlns', NAMESPACE)
  return { status, headers: { 'content-type': 'text/xml' }, body: `${root.toString()}\n` }
}

function element(name: string, content: StsResult): XmlNode {
  const children = Object.entries(content).map(([child, value]) =>
    typeof value === 'string' ? XmlNode.of(child, value) : element(child, value),
  )
  return new XmlNode(name, children)
}

/** What XML 1.0 has no way to write, escaped or not: https://www.w3.org/TR/xml/#charsets. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be found
  return text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
}

import { XmlNode } from '@aws-sdk/xml-builder'
import type { AwsError } from '../aws-error.js'
import type { Answer } from '../service.js'
import { type XmlContent, xmlElement, xmlText } from '../xml.js'

export const API_VERSION = '2011-06-15'

const NAMESPACE = `https://sts.amazonaws.com/doc/${API_VERSION}/`

/** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
export function xmlAnswer(action: string, result: XmlContent, requestId: string): Answer {
  const metadata = new XmlNode('ResponseMetadata', [XmlNode.of('RequestId', requestId)])
  const root = new XmlNode(`${action}Response`, [xmlElement(`${action}Result`, result), metadata])
  return answer(200, root)
}

export function xmlError({ code, status, message }: AwsError, requestId: string): Answer {
  const type = status >= 500 ? 'Receiver' : 'Sender'
  const error = xmlElement('Error', { Type: type, Code: code, Message: xmlText(message) })
  return answer(status, new XmlNode('ErrorResponse', [error, XmlNode.of('RequestId', requestId)]))
}

function answer(status: number, root: XmlNode): Answer {
  root.addAttribute('xmlns', NAMESPACE)
  return { status, headers: { 'content-type': 'text/xml' }, body: `${root.toString()}\n` }
}

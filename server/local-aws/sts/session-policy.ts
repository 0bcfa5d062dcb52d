import { AwsError } from '../aws-error.js'
import { type PolicyDocument, policyDocumentSchema } from '../policy-document.js'

/** @throws AwsError MalformedPolicyDocument */
export function parseSessionPolicy(text: string | undefined): PolicyDocument | undefined {
  if (text === undefined) return undefined
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw malformed('This policy contains invalid Json')
  }
  if (!policyDocumentSchema.safeParse(document).success) throw malformed('Syntax errors in policy.')
  return document as PolicyDocument
}

function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocument', 400, message)
}

import type { PolicyDocument } from './policy-document.js'

/** A long-lived access key of an IAM user. */
export interface LocalAwsAccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /**
   * The user it belongs to; its account is the caller's account.
   * @default arn:<partition of the region>:iam::<accountId>:user/<accessKeyId>
   */
  readonly userArn?: string
  /** What the user may do. @default everything */
  readonly policy?: PolicyDocument
}

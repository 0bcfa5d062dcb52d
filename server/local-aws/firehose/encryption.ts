import { AwsError } from '../aws-error.js'
import type { Input } from '../input.js'
import type { Validation } from '../validation.js'

/** How a stream's records are encrypted; here it is only described and reported. */
export interface StreamEncryption {
  readonly keyType: string
  readonly keyArn: string | undefined
}

const FIELD = 'DeliveryStreamEncryptionConfigurationInput'
const PATH = 'deliveryStreamEncryptionConfigurationInput'
const KEY_ARN = 'arn:.*:kms:[a-zA-Z0-9\\-]+:\\d{12}:(key|alias)/[a-zA-Z_0-9+=,.@\\-_/]+'

/** https://docs.aws.amazon.com/firehose/latest/APIReference/API_DeliveryStreamEncryptionConfigurationInput.html */
export function readEncryption(input: Input, validation: Validation): StreamEncryption | undefined {
  const given = input.structure(FIELD)
  if (given === undefined) return undefined
  const keyType = given.text('KeyType')
  const keyArn = given.text('KeyARN')
  validation
    .text(`${PATH}.keyType`, keyType, { required: true, values: ['AWS_OWNED_CMK', 'CUSTOMER_MANAGED_CMK'] })
    .text(`${PATH}.keyARN`, keyArn, { min: 1, max: 512, pattern: KEY_ARN })
  return { keyType: keyType ?? '', keyArn }
}

/** @throws AwsError InvalidArgumentException where the kind of the key and its ARN contradict each other */
export function checkEncryption({ keyType, keyArn }: StreamEncryption): void {
  if (keyType === 'CUSTOMER_MANAGED_CMK' && keyArn === undefined) {
    throw invalidArgument('KeyARN is required for the key type CUSTOMER_MANAGED_CMK.')
  }
  if (keyType === 'AWS_OWNED_CMK' && keyArn !== undefined) {
    throw invalidArgument('KeyARN is not allowed for the key type AWS_OWNED_CMK.')
  }
}

export function describeEncryption(encryption: StreamEncryption | undefined): object {
  if (encryption === undefined) return { Status: 'DISABLED' }
  const { keyType, keyArn } = encryption
  return { Status: 'ENABLED', KeyType: keyType, ...(keyArn !== undefined && { KeyARN: keyArn }) }
}

function invalidArgument(message: string): AwsError {
  return new AwsError('InvalidArgumentException', 400, message)
}

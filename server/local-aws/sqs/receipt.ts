import { AwsError } from '../aws-error.js'

const RECEIPT = /^([0-9a-f-]{36}) \d{1,9}$/

/** A receiver names a message by this handle, which is another one for each reception. */
export function formatReceipt(id: string, receiveCount: number): string {
  return Buffer.from(`${id} ${receiveCount}`).toString('base64')
}

/** The ID of the message that a receipt handle is of. @throws AwsError ReceiptHandleIsInvalid */
export function parseReceipt(receipt: string): string {
  const [, id] = RECEIPT.exec(Buffer.from(receipt, 'base64').toString('latin1')) ?? []
  if (id !== undefined) return id
  throw new AwsError(
    'ReceiptHandleIsInvalid',
    404,
    `The input receipt handle "${receipt}" is not a valid receipt handle.`,
  )
}

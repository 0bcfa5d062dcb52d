import { AwsError } from '../aws-error.js'

const RECEIPT = /^([0-9a-f-]{36}) (\d{1,9})$/

/** What a receiver names a message by: the message, and which of its receptions. */
export function formatReceipt(id: string, receiveCount: number): string {
  return Buffer.from(`${id} ${receiveCount}`).toString('base64')
}

/** @throws AwsError ReceiptHandleIsInvalid */
export function parseReceipt(receipt: string): { id: string; receiveCount: number } {
  const [, id, receiveCount] = RECEIPT.exec(Buffer.from(receipt, 'base64').toString('latin1')) ?? []
  if (id !== undefined) return { id, receiveCount: Number(receiveCount) }
  throw new AwsError(
    'ReceiptHandleIsInvalid',
    404,
    `The input receipt handle "${receipt}" is not a valid receipt handle.`,
  )
}

import type { PutRecordBatchCommandOutput, PutRecordCommandOutput } from '@aws-sdk/client-firehose'

/** What an answer to PutRecordBatch says, but for its headers. */
export type BatchOutput = Omit<PutRecordBatchCommandOutput, '$metadata'>

/** What an answer to PutRecord says, but for its headers. */
export type RecordOutput = Omit<PutRecordCommandOutput, '$metadata'>

/**
 * An answer to PutRecordBatch in which no record failed, as JSON.parse gives it: the SDK makes 500 objects anew, by
 * a schema, to the same end.
 *
 * @returns undefined where the answer is any other, or no JSON at all: that is for the SDK to read
 */
export function readPlainBatchAnswer(bytes: Buffer): BatchOutput | undefined {
  const answer = parse(bytes)
  if (!isObject(answer)) return undefined
  const { FailedPutCount, Encrypted, RequestResponses } = answer
  if (FailedPutCount !== 0 || !Array.isArray(RequestResponses)) return undefined
  if (Encrypted !== undefined && typeof Encrypted !== 'boolean') return undefined
  if (!RequestResponses.every(hasRecordIdAlone)) return undefined
  return { FailedPutCount, RequestResponses, ...(Encrypted !== undefined && { Encrypted }) }
}

/** An answer to PutRecord with a RecordId; see {@link readPlainBatchAnswer}. */
export function readPlainRecordAnswer(bytes: Buffer): RecordOutput | undefined {
  const answer = parse(bytes)
  if (!isObject(answer) || typeof answer['RecordId'] !== 'string') return undefined
  const { RecordId, Encrypted } = answer
  if (Encrypted === undefined) return { RecordId }
  return typeof Encrypted === 'boolean' ? { RecordId, Encrypted } : undefined
}

function hasRecordIdAlone(entry: unknown): entry is { RecordId: string } {
  if (!isObject(entry) || typeof entry['RecordId'] !== 'string') return false
  // Cheaper than Object.keys, 500 times an answer.
  for (const key in entry) if (key !== 'RecordId') return false
  return true
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

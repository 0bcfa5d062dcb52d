import { AwsError } from '../aws-error.js'
import type { RecordFault } from '../faults.js'
import type { Input } from '../input.js'
import type { SqsCall, SqsResult } from './operation.js'
import { queryCode } from './protocol.js'

const MAX_ENTRIES = 10

/**
 * The `Entries` of a batch.
 * @throws AwsError where there are none or too many, or their ids are not to be told apart
 */
export function readEntries(input: Input, member: string): Input[] {
  const entries = input.structures('Entries') ?? []
  if (entries.length === 0) {
    throw new AwsError('EmptyBatchRequest', 400, `There should be at least one ${member} in the request.`)
  }
  if (entries.length > MAX_ENTRIES) {
    throw new AwsError(
      'TooManyEntriesInBatchRequest',
      400,
      `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`,
    )
  }
  const ids = entries.map((entry) => entry.text('Id') ?? '')
  if (ids.some((id) => !/^[\w-]{1,80}$/.test(id))) {
    throw new AwsError(
      'InvalidBatchEntryId',
      400,
      'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
    )
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index)
  if (repeated !== undefined) throw new AwsError('BatchEntryIdsNotDistinct', 400, `Id ${repeated} repeated.`)
  return entries
}

/** Does each entry on its own: some may fail while their neighbours succeed. */
export function doEach(
  entries: readonly Input[],
  { recordFault }: SqsCall,
  act: (entry: Input) => Readonly<Record<string, unknown>>,
): SqsResult {
  const successful: unknown[] = []
  const failed: unknown[] = []
  for (const entry of entries) {
    const id = { Id: entry.text('Id') }
    try {
      const fault = recordFault()
      if (fault !== undefined) throw entryError(fault)
      successful.push({ ...id, ...act(entry) })
    } catch (error) {
      if (!(error instanceof AwsError)) throw error
      const { code, status, message } = error
      failed.push({ ...id, Code: queryCode(code), Message: message, SenderFault: status < 500 })
    }
  }
  const output = { Successful: successful, ...(failed.length > 0 && { Failed: failed }) }
  return { output, records: entries.length, failedRecords: failed.length }
}

/** In the words of SQS, where those of Firehose are others. */
function entryError({ code, message }: RecordFault): AwsError {
  return code === 'InternalFailure'
    ? new AwsError('InternalError', 500, 'We encountered an internal error. Please try again.')
    : new AwsError('ServiceUnavailable', 503, message)
}

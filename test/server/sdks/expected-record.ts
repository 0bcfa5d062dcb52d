/** A JSON object with `{ digits }` in place of each number: JSON.parse would round some. */
export type Digits = Readonly<Record<string, unknown>>

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g

export function parseDigits(json: string): Digits {
  const isString = (token: string) => token.startsWith('"')
  return JSON.parse(
    json.replace(STRING_OR_NUMBER, (token) => (isString(token) ? token : `{"digits":"${token}"}`)),
  )
}

interface Batch extends Digits {
  readonly batch: readonly Digits[]
  readonly sentAt: string
  readonly context?: object
}

/** What stands in the records of an SDK's batches, by `messageId`: without what the proxy adds by itself. */
export function expectedRecords(bodies: readonly string[]): ReadonlyMap<string, Digits> {
  const batches = bodies.map((body) => parseDigits(body) as Batch)
  return new Map(
    batches.flatMap((batch) =>
      batch.batch.map((event) => [String(event['messageId']), expectedRecord(event, batch)] as const),
    ),
  )
}

/** All that the event says, the batch's context below its own, and the times in one form. */
function expectedRecord(event: Digits, { sentAt, context }: Batch): Digits {
  const timestamp = String(event['timestamp'])
  return {
    ...event,
    context: { ...context, ...(event['context'] as object | undefined) },
    originalTimestamp: timestamp,
    timestamp: inOneForm(timestamp),
    sentAt: inOneForm(sentAt),
  }
}

/** As records hold times: ISO 8601 in UTC with milliseconds. All SDKs write a zone. */
function inOneForm(time: string): string {
  return new Date(time).toISOString()
}

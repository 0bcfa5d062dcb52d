/** The services of this endpoint, by the name in a credential scope. */
export type Service = 'firehose' | 's3' | 'sqs' | 'sts'

/** A whole HTTP answer. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

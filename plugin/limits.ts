// Limits and quotas of the Firehose API.
// Source: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
//         https://docs.aws.amazon.com/firehose/latest/dev/limits.html

/** A record at most, in bytes before base64, newline included. */
export const MAX_RECORD_BYTES = 1_024_000

/** Records in one PutRecordBatch call at most. */
export const MAX_CALL_RECORDS = 500

/** Bytes in one PutRecordBatch call at most, before base64. */
export const MAX_CALL_BYTES = 4 * 1024 * 1024

/** Events in one aggregated record at most: what multi-record deaggregation takes. */
export const MAX_RECORD_DOCUMENTS = 500

const LARGE_QUOTA_REGIONS = new Set(['us-east-1', 'us-west-2', 'eu-west-1'])

/** The Direct PUT quota of a stream, in requests per second, as AWS sets it for new accounts. */
export function requestQuota(region: string): number {
  return LARGE_QUOTA_REGIONS.has(region) ? 2_000 : 1_000
}

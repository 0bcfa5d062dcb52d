/** A request's body at most, before and after inflation. analytics-node 3.1 really sends 3 MB. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024

/** Range of the setting `maxHeaderBytes`. SECURITY: each connection may hold that much memory. */
export const HEADER_BYTES = { min: 1_024, max: 1_048_576 } as const

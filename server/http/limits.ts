/** A request's body at most, before and after inflation. analytics-node 3.1 really sends 3 MB. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024

/** What may be set as the size of a request's headers and URL. SECURITY: each connection may hold so much. */
export const HEADER_BYTES = { min: 1_024, max: 1_048_576 } as const

/** A request's body at most, before and after inflation. analytics-node 3.1 really sends 3 MB. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024

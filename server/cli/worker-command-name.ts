/** By which a worker is started. */
export const WORKER_COMMAND = 'serve-worker'

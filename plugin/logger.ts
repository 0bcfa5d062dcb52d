/** Where notices go: `console`, pino, winston and their like fit as they are. */
export type Logger = Pick<Console, 'info' | 'warn' | 'error'>

export const silentLogger: Logger = { info() {}, warn() {}, error() {} }

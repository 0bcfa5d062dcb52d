/** Where notices go: `console`, pino, winston and their like fit as they are. */
export type Logger = Pick<Console, 'info' | 'warn' | 'error'>

/** The same logger, except that its errors go nowhere: a broken log must not stop deliveries. */
export function guarded(logger: Logger): Logger {
  const guard = (level: keyof Logger) => (message: string) => {
    try {
      logger[level](message)
    } catch {}
  }
  return { info: guard('info'), warn: guard('warn'), error: guard('error') }
}

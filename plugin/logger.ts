/** Where notices go: `console`, pino, winston and their like fit as they are. */
export type Logger = Pick<Console, 'info' | 'warn' | 'error'>

/** The same logger, except that its errors go nowhere: a broken log must not stop deliveries, or end the process. */
export function guarded(logger: Logger): Logger {
  const guard = (level: keyof Logger) => (message: string) => {
    try {
      const written: unknown = logger[level](message)
      if (written instanceof Promise) written.catch(() => {})
    } catch {}
  }
  return { info: guard('info'), warn: guard('warn'), error: guard('error') }
}

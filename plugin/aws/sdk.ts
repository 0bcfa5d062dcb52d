import type { Put, PutOptions } from './put.js'
import { redact } from './redact.js'

/**
 * Loads what the first call needs of the SDK, which takes longer than to load all else of this package. To be
 * called once all else is ready, so that the first event need not wait for it.
 *
 * @throws why it cannot be loaded: then it never can in this process, as Node keeps to what import() failed with, even
 * where that was a moment in which no more files could be opened. Calls fail in their turn, and say why.
 */
export async function preloadSdk({ assumesRoles }: { readonly assumesRoles: boolean }): Promise<void> {
  await import('./put.js')
  await import('./put-calls.js')
  await import('./service-client.js')
  if (assumesRoles) await import('./assume-role.js')
}

/** A {@link Put} that is loaded, and the SDK with it, at its first call. */
export function createLazyPut(options: PutOptions): Put {
  let put: Put | undefined
  const first: Put = async (...call) => {
    try {
      const { createPut } = await import('./put.js')
      put ??= createPut(options)
    } catch (thrown) {
      return { refusal: { class: 'park', throttled: false, error: redact(thrown, options.externalId) } }
    }
    return put(...call)
  }
  return (...call) => (put ?? first)(...call)
}

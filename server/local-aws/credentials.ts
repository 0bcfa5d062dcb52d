import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { PolicyDocument } from './policy-document.js'
import type { SessionMarks } from './sts/session-tags.js'

/** What AssumeRole gave out, and whom it stands for. */
export interface IssuedCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Epoch ms. */
  readonly expiresAt: number
  readonly roleArn: string
  readonly sessionName: string
  readonly sessionPolicy?: PolicyDocument
  readonly marks: SessionMarks
}

/** Beyond this the ones used longest ago are forgotten, and then are unknown instead of expired. */
const MAX_ISSUED = 100_000

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** The temporary credentials this endpoint has issued. */
export class CredentialStore {
  readonly #issued = new LRUCache<string, IssuedCredentials>({ max: MAX_ISSUED })

  issue(
    grant: Omit<IssuedCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>,
  ): IssuedCredentials {
    const credentials: IssuedCredentials = {
      ...grant,
      accessKeyId: `ASIA${uniqueId()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(252).toString('base64')}`,
    }
    this.#issued.set(credentials.accessKeyId, credentials)
    return credentials
  }

  find(accessKeyId: string): IssuedCredentials | undefined {
    return this.#issued.get(accessKeyId)
  }

  /** Every one issued until now is expired from `at` on. */
  expireAll(at: number): void {
    // A copy, as setting an entry moves it to where the iteration is still to come.
    for (const [key, credentials] of [...this.#issued.entries()]) {
      this.#issued.set(key, { ...credentials, expiresAt: Math.min(credentials.expiresAt, at) })
    }
  }
}

/** Constant-time, for the same reason as a signature's comparison. */
export function sameToken(given: string | undefined, issued: string): boolean {
  const a = Buffer.from(given ?? '')
  const b = Buffer.from(issued)
  return a.length === b.length && timingSafeEqual(a, b)
}

function uniqueId(): string {
  return Array.from({ length: 16 }, () => BASE32[randomInt(32)]).join('')
}

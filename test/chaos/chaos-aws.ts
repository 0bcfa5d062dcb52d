import { type Fault, type LocalAws, type LocalAwsRole, startLocalAws } from '../../server/local-aws/index.js'
import { STREAMS } from './events.js'
import { Tally } from './tally.js'

export const ROLES = ['arn:aws:iam::123456789012:role/web', 'arn:aws:iam::123456789012:role/app'] as const

const role = (arn: string): LocalAwsRole => ({
  arn,
  trustPolicy: { Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: '*' } }] },
})

export interface ChaosAwsOptions {
  readonly dir: string
  readonly seed: number
  readonly streams?: readonly string[]
}

/** A local AWS that can go down and come back, and keeps account of all that it ever took. */
export class ChaosAws {
  readonly taken = new Tally()
  /** What was taken and is not lines of JSON. */
  readonly broken: string[] = []
  /** How far the server's dates are off at most, in ms; when an event waited, it seems to be behind. */
  readonly skew = { least: 0, most: 0 }
  readonly #options: ChaosAwsOptions
  readonly #faults = new Map<Fault, () => void>()
  readonly #streams: Set<string>
  #roles: readonly LocalAwsRole[] = ROLES.map(role)
  #port = 0
  #aws: LocalAws | undefined

  private constructor(options: ChaosAwsOptions) {
    this.#options = options
    this.#streams = new Set(options.streams ?? STREAMS)
  }

  static async start(options: ChaosAwsOptions): Promise<ChaosAws> {
    const aws = new ChaosAws(options)
    await aws.comeBack()
    return aws
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Connections are refused from now on; credentials that were issued are forgotten. */
  async goDown(): Promise<void> {
    await this.#aws?.close()
    this.#aws = undefined
  }

  async comeBack(): Promise<void> {
    const { dir, seed } = this.#options
    this.#aws = await startLocalAws({
      dir,
      seed,
      port: this.#port,
      roles: this.#roles,
      streams: [...this.#streams],
      onRecord: ({ stream, data }) => this.#take(stream, data),
    })
    this.#port = Number(new URL(this.#aws.endpoint).port)
    for (const fault of this.#faults.keys()) this.#faults.set(fault, this.#aws.addFault(fault))
  }

  /** @returns what takes it away again */
  fault(fault: Fault): () => void {
    this.#faults.set(fault, this.#aws?.addFault(fault) ?? (() => {}))
    return () => {
      this.#faults.get(fault)?.()
      this.#faults.delete(fault)
    }
  }

  expireCredentials(): void {
    this.#aws?.expireCredentials()
  }

  /** @returns what gives the role back */
  revokeRole(arn: string): () => void {
    const set = (roles: readonly LocalAwsRole[]) => {
      this.#roles = roles
      this.#aws?.setRoles(roles)
    }
    set(this.#roles.filter((it) => it.arn !== arn))
    return () => set([...this.#roles, role(arn)])
  }

  /** @returns what makes the stream again */
  deleteStream(name: string): () => void {
    this.#streams.delete(name)
    this.#aws?.deleteStream(name)
    return () => {
      this.#streams.add(name)
      this.#aws?.createStream(name)
    }
  }

  #take(stream: string, data: Buffer): void {
    const lines = data.toString().split('\n')
    if (lines.pop() !== '') this.broken.push(data.toString())
    for (const line of lines) {
      const event = eventOf(line)
      if (event === undefined) this.broken.push(line)
      else this.#note(stream, event)
    }
  }

  #note(stream: string, { messageId, receivedAt }: TakenEvent): void {
    this.taken.add(stream, messageId)
    const ahead = Date.parse(receivedAt) - Date.now()
    this.skew.least = Math.min(this.skew.least, ahead)
    this.skew.most = Math.max(this.skew.most, ahead)
  }
}

interface TakenEvent {
  readonly messageId: string
  readonly receivedAt: string
}

/** `undefined` where it is no event. */
function eventOf(line: string): TakenEvent | undefined {
  try {
    const { messageId, receivedAt } = JSON.parse(line) as { messageId?: unknown; receivedAt?: unknown }
    return typeof messageId === 'string' && typeof receivedAt === 'string'
      ? { messageId, receivedAt }
      : undefined
  } catch {
    return undefined
  }
}

import { finish } from '../../../plugin/slices.js'
import { scanBody } from '../../../server/intake/body-scanner.js'
import { ScannedEvent } from '../../../server/intake/scanned-event.js'
import { SharedMembers } from '../../../server/intake/shared-members.js'

/** An event that is a body of its own. */
export function scannedEvent(text: string | Buffer): ScannedEvent {
  return new ScannedEvent(finish(scanBody(Buffer.from(text as string), false)), 0)
}

/** The elements of a batch, and what they share. */
export function scannedBatch(text: string | Buffer): { events: ScannedEvent[]; shared: SharedMembers } {
  const body = finish(scanBody(Buffer.from(text as string), true))
  const events = Array.from({ length: body.count }, (_, i) => new ScannedEvent(body, i + 1))
  return { events, shared: new SharedMembers(new ScannedEvent(body, 0)) }
}

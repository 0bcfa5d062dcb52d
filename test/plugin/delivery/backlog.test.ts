import { describe, expect, it } from '@jest/globals'
import { Backlog } from '../../../plugin/delivery/backlog.js'
import { ByteBudget } from '../../../plugin/delivery/byte-budget.js'
import { Entry } from '../../../plugin/delivery/entry.js'
import { Shipment } from '../../../plugin/delivery/shipment.js'

function entry(): Entry {
  const budget = new ByteBudget(1_000)
  budget.take(3)
  return new Entry(Buffer.alloc(3), new Shipment({ size: 1, enqueuedAt: 0, deadline: 1, budget }), 0)
}

describe('the backlog', () => {
  it('does not take back what was settled while a call carried it, nor hold its bytes', () => {
    const backlog = new Backlog()
    const [late, open] = [entry(), entry()]
    late.settle({ status: 'delivered', recordId: 'id' })
    backlog.putBack([late, open], false)
    expect([...backlog]).toEqual([open])
    expect(backlog.queue).toMatchObject({ length: 1, bytes: 3 })
    backlog.putBack([late], true)
    expect(backlog.next()?.isPart).toBe(false)
  })
})

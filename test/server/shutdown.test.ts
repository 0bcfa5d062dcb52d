import { EventEmitter } from 'node:events'
import { describe, expect, it } from '@jest/globals'
import { closeOnSignal, type SignalSource } from '../../server/shutdown.js'

function harness() {
  const emitter = new EventEmitter()
  const exits: number[] = []
  const source: SignalSource = {
    on: (signal, listener) => emitter.on(signal, listener),
    exit: (code) => void exits.push(code),
  }
  return { exits, source, send: (signal: string) => emitter.emit(signal, signal) }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('closeOnSignal', () => {
  it.each(['SIGTERM', 'SIGINT'])('closes at %s, then exits with 0', async (signal) => {
    const { exits, source, send } = harness()
    let finish = () => {}
    const given: string[] = []
    const close = (name: string) => {
      given.push(name)
      return new Promise<void>((resolve) => {
        finish = resolve
      })
    }
    closeOnSignal(source, close, () => {})
    send(signal)
    await settled()
    expect([given, exits]).toEqual([[signal], []])
    finish()
    await settled()
    expect(exits).toEqual([0])
  })

  it('exits at once at the second signal', async () => {
    const { exits, source, send } = harness()
    closeOnSignal(
      source,
      () => new Promise(() => {}),
      () => {},
    )
    send('SIGTERM')
    send('SIGINT')
    expect(exits).toEqual([130])
    send('SIGTERM')
    expect(exits).toEqual([130, 143])
  })

  it('tells why closing failed, and exits with 1', async () => {
    const { exits, source, send } = harness()
    const errors: unknown[] = []
    const error = new Error('no')
    closeOnSignal(
      source,
      () => Promise.reject(error),
      (it) => errors.push(it),
    )
    send('SIGTERM')
    await settled()
    expect([errors, exits]).toEqual([[error], [1]])
  })

  it('exits with 1 where nothing can be told of why closing failed', async () => {
    const { exits, source, send } = harness()
    closeOnSignal(
      source,
      () => Promise.reject(new Error('no')),
      () => {
        throw new Error('nobody listens')
      },
    )
    send('SIGTERM')
    await settled()
    expect(exits).toEqual([1])
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, it } from '@jest/globals'
import { abandonable } from '../../../plugin/aws/abandonable.js'
import { isAlive } from '../../alive.js'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A server that answers nothing, and the port it listens on. */
async function silentServer(): Promise<number> {
  server = createServer(() => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

it('gives what the work gives', async () => {
  expect(await abandonable(async () => 'done').result).toBe('done')
  await expect(abandonable(() => Promise.reject(new Error('no'))).result).rejects.toThrow('no')
})

it('ends a child process that the work waits for', async () => {
  const { result, abandon } = abandonable(async () => {
    await Promise.resolve()
    const child = spawn('sleep', ['600'])
    return (await once(child, 'exit')) as [number | null, string | null]
  })
  await new Promise(setImmediate)
  abandon()
  expect(await result).toEqual([null, 'SIGKILL'])
})

// Other systems do not name a process's children.
const onLinux = process.platform === 'linux' ? it : it.skip

onLinux('ends what a shell has started, too', async () => {
  let started = (_pid: number) => {}
  const pid = new Promise<number>((resolve) => {
    started = resolve
  })
  const { result, abandon } = abandonable(async () => {
    const child = spawn('sh', ['-c', 'sleep 600 & echo $!; wait'])
    const [text] = (await once(child.stdout, 'data')) as [Buffer]
    started(Number(text.toString()))
    return await once(child, 'close')
  })
  const sleeping = await pid
  abandon()
  await result
  while (isAlive(sleeping)) await new Promise(setImmediate)
})

it('destroys the sockets that the work has opened, and those that it still opens', async () => {
  const port = await silentServer()
  const sockets: Socket[] = []
  const open = () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    return once(socket, 'close')
  }
  let isOpen = () => {}
  const opened = new Promise<void>((resolve) => {
    isOpen = resolve
  })
  const { result, abandon } = abandonable(async () => {
    const closed = open()
    isOpen()
    await closed
    // As the SDK's provider for containers does: it tries again.
    await open()
    return sockets.map(({ destroyed }) => destroyed)
  })
  await opened
  abandon()
  expect(await result).toEqual([true, true])
})

it('leaves alone what others open meanwhile', async () => {
  const port = await silentServer()
  let end = () => {}
  const { result, abandon } = abandonable(
    () =>
      new Promise<void>((resolve) => {
        end = resolve
      }),
  )
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  abandon()
  end()
  await result
  expect(socket.destroyed).toBe(false)
  socket.destroy()
})

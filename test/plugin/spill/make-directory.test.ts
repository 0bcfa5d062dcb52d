import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { makeDirectory, makeDirectorySync } from '../../../plugin/spill/make-directory.js'
import { tempDir } from '../../server/temp-dir.js'

type Make = (path: string) => void

const WAYS: readonly (readonly [string, (path: string, make?: Make) => Promise<string | undefined>])[] = [
  ['makeDirectory', (path, make) => makeDirectory(path, make && (async (one) => make(one)))],
  ['makeDirectorySync', async (path, make) => makeDirectorySync(path, make)],
]

describe.each(WAYS)('%s', (_name, make) => {
  it('makes what is missing for its owner alone, and says where that begins', async () => {
    const root = tempDir()
    expect(await make(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'))
    for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(root, path)).mode & 0o777).toBe(0o700)
    expect(await make(join(root, 'a', 'b', 'd'))).toBe(join(root, 'a', 'b', 'd'))
    expect(await make(join(root, 'a', 'b'))).toBeUndefined()
  })

  it('takes a link to a directory for one', async () => {
    const root = tempDir()
    mkdirSync(join(root, 'there'))
    symlinkSync(join(root, 'there'), join(root, 'link'))
    expect(await make(join(root, 'link', 'a'))).toBe(join(root, 'link', 'a'))
    expect(existsSync(join(root, 'there', 'a'))).toBe(true)
  })

  it.each([
    ['a file in its place', 'EEXIST', 'file'],
    ['a file among its parents', 'ENOTDIR', 'file/a/b'],
    ['a link to nothing', 'EEXIST', 'nothing'],
    ['a link to nothing among its parents', 'EEXIST', 'nothing/a'],
  ])('tells of %s: %s', async (_case, code, path) => {
    const root = tempDir()
    writeFileSync(join(root, 'file'), '')
    symlinkSync(join(root, 'missing'), join(root, 'nothing'))
    await expect(make(join(root, path))).rejects.toMatchObject({ code })
  })

  it('tells that the file system is read-only, however many directories are missing', async () => {
    const root = tempDir()
    // As Linux does it: a directory whose parent is missing is ENOENT, on a read-only file system as well.
    const readOnly: Make = (path) => {
      const code = existsSync(join(path, '..')) ? 'EROFS' : 'ENOENT'
      throw Object.assign(new Error(`${code}: ${path}`), { code })
    }
    await expect(make(join(root, 'a', 'b', 'c'), readOnly)).rejects.toMatchObject({
      code: 'EROFS',
      message: `EROFS: ${join(root, 'a')}`,
    })
    expect(await make(root, readOnly)).toBeUndefined()
  })

  it('goes on where another process makes the same', async () => {
    const root = tempDir()
    const raced: Make = (path) => {
      if (path.endsWith('b') && existsSync(join(root, 'a'))) mkdirSync(path)
      mkdirSync(path)
    }
    expect(await make(join(root, 'a', 'b'), raced)).toBe(join(root, 'a'))
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DataDirInUse, openDataDir } from '../../src/db/data-dir.ts'

let parent: string
let path: string
const children: ChildProcess[] = []

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'fieldstation-data-dir-'))
  path = join(parent, 'deep', 'data')
})

afterEach(async () => {
  await Promise.all(children.splice(0).map(kill))
  await rm(parent, { recursive: true })
})

describe('openDataDir', () => {
  test('makes the directory, for its owner alone', async () => {
    const dataDir = await openDataDir(path)

    expect((await stat(path)).mode & 0o777).toBe(0o700)
    dataDir.close()
  })

  test('gives the path without symlinks', async () => {
    await symlink(parent, `${parent}.link`)

    const dataDir = await openDataDir(`${parent}.link`)

    expect(dataDir.path).toBe(parent)
    dataDir.close()
    await rm(`${parent}.link`)
  })

  test('is refused while another process has it, and says which', async () => {
    const holder = await holdInChild(path)

    const refused = openDataDir(path)

    await expect(refused).rejects.toThrow(DataDirInUse)
    await expect(refused).rejects.toThrow(`process ${holder.pid} on`)
  })

  test('is refused while this process has it, by any other name too, and that does not loosen the lock', async () => {
    const dataDir = await openDataDir(path)
    await symlink(path, join(parent, 'link'))

    await expect(openDataDir(path)).rejects.toThrow(DataDirInUse)
    await expect(openDataDir(join(parent, 'link'))).rejects.toThrow(DataDirInUse)

    await expect(holdInChild(path)).rejects.toThrow('DataDirInUse')
    dataDir.close()
  })

  test('is free again after close', async () => {
    const first = await openDataDir(path)
    first.close()

    const second = await openDataDir(path)

    second.close()
  })

  test('is free as soon as its holder is killed, whatever files that left', async () => {
    const holder = await holdInChild(path)
    await kill(holder)

    const dataDir = await openDataDir(path)

    expect(await readFile(join(path, 'lock-holder'), 'utf8')).toContain(`process ${process.pid} on`)
    dataDir.close()
  })

  test('goes to exactly one of many that start at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => holdInChild(path)))

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('readOrCreateSecret', () => {
  test('makes a secret once, for its owner alone, and keeps it', async () => {
    const first = await openDataDir(path)
    expect(await first.readOrCreateSecret('key', () => 'made first')).toBe('made first')
    first.close()

    const second = await openDataDir(path)

    expect(await second.readOrCreateSecret('key', () => 'made again')).toBe('made first')
    expect((await stat(join(path, 'key'))).mode & 0o777).toBe(0o600)
    expect((await readdir(path)).sort()).toEqual(['key', 'lock', 'lock-holder'])
    second.close()
  })

  test('gives who came second what the first one made', async () => {
    const dataDir = await openDataDir(path)
    const slow = Promise.withResolvers<string>()
    const second = dataDir.readOrCreateSecret('key', () => slow.promise)
    const first = await dataDir.readOrCreateSecret('key', () => 'made first')

    slow.resolve('made second')

    expect(await second).toBe(first)
    expect(await dataDir.readOrCreateSecret('key', () => 'made third')).toBe('made first')
    dataDir.close()
  })

  test('leaves nothing when making it fails', async () => {
    const dataDir = await openDataDir(path)
    const failing = dataDir.readOrCreateSecret('key', () => Promise.reject(new Error('no entropy')))

    await expect(failing).rejects.toThrow('no entropy')
    expect(await readdir(path)).not.toContain('key')
    dataDir.close()
  })

  test('closes one that others may read', async () => {
    const dataDir = await openDataDir(path)
    await writeFile(join(path, 'key'), 'copied from a backup')
    await chmod(join(path, 'key'), 0o644)

    expect(await dataDir.readOrCreateSecret('key', () => 'new')).toBe('copied from a backup')

    expect((await stat(join(path, 'key'))).mode & 0o777).toBe(0o600)
    dataDir.close()
  })

  test.each(['../key', 'a/b', '', '.', 'A'])('refuses the name "%s"', async (name) => {
    const dataDir = await openDataDir(path)

    await expect(dataDir.readOrCreateSecret(name, () => 'x')).rejects.toThrow('cannot be the name')
    dataDir.close()
  })
})

/** Resolves when the child has the directory; rejects with what it said when it did not get it. */
async function holdInChild(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'hold-data-dir.ts'), directory])
  children.push(child)
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const outcome = await Promise.race([once(child.stdout, 'data'), once(child, 'close').then(() => undefined)])
  if (!outcome) throw new Error(said)
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

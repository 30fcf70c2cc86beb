import { lstat, mkdir, open, readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sizeOf } from './object-file.ts'
import type { ListedObject } from './object-store.ts'

/**
 * Where a key's file is: `a/b/c.png` is `a~/b~/c.png`. No key has a `~`, so the key `a` can exist beside `a/b`, and
 * files keep their names for whoever looks into the directory.
 */
export function locate(root: string, key: string): { directories: string[]; file: string } {
  const segments = key.split('/')
  const name = segments.pop() ?? ''
  const directories: string[] = []
  for (const segment of segments) directories.push(join(directories.at(-1) ?? root, `${segment}~`))
  return { directories, file: join(directories.at(-1) ?? root, name) }
}

/**
 * Throws ENOENT when one is not there. Keys cannot point out of the root, but a symlink that somebody put there could:
 * so each directory on the way must really be one.
 */
export async function assertDirectories(directories: string[]): Promise<void> {
  for (const directory of directories) {
    if (!(await lstat(directory)).isDirectory()) throw new Error(`${directory} is not a directory of this store.`)
  }
}

export async function makeDirectories(root: string, directories: string[]): Promise<void> {
  for (const [i, directory] of directories.entries()) {
    const made = await mkdir(directory, { mode: 0o700 }).then(
      () => true,
      (error) => {
        if (error.code !== 'EEXIST') throw error
      },
    )
    await assertDirectories([directory])
    if (made) await syncDirectory(directories[i - 1] ?? root)
  }
}

/** Keeps the store from filling with what deleted objects leave; ends at the first that is not empty. */
export async function removeEmpty(directories: string[]): Promise<void> {
  try {
    for (const directory of directories.toReversed()) await rmdir(directory)
  } catch {
    // Not empty, or gone already.
  }
}

/** A new name survives a power cut only when its directory was synced too. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory)
  await handle.sync().finally(() => handle.close())
}

/** In the byte order of keys, as S3 lists them, and only what comes behind `after`; a directory at a time in memory. */
export async function* listObjects(
  directory: string,
  prefix: string,
  after: string,
  parent = '',
): AsyncGenerator<ListedObject> {
  for (const { path, key, isDirectory } of await readEntries(directory, parent)) {
    if (isDirectory) {
      const isBehind = key > after || after.startsWith(key)
      if (isBehind && (key.startsWith(prefix) || prefix.startsWith(key))) yield* listObjects(path, prefix, after, key)
    } else if (key.startsWith(prefix) && key > after) {
      const stats = await lstat(path).catch(ignoreMissing)
      if (stats) yield { key, sizeBytes: sizeOf(stats), lastModifiedAt: stats.mtime }
    }
  }
}

/** Directories carry their slash, which is what sorts `a/b` after `a.txt`. */
async function readEntries(directory: string, parent: string) {
  const entries = (await readdir(directory, { withFileTypes: true }).catch(ignoreMissing)) ?? []
  return entries
    .filter((entry) => (entry.isDirectory() ? /^[^~]+~$/ : /^[^~]+$/).test(entry.name) && !entry.isSymbolicLink())
    .map((entry) => ({
      path: join(directory, entry.name),
      key: parent + entry.name.replace('~', '/'),
      isDirectory: entry.isDirectory(),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Deleted since it was seen. */
function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

import { constants } from 'node:fs'
import { chmod, link, mkdir, open, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export class DataDirInUse extends Error {
  override name = 'DataDirInUse'
}

/** A directory that belongs to this process alone until `close`, or until the process ends, however it ends. */
export interface DataDir {
  /** Absolute, symlinks resolved. */
  readonly path: string
  /** The secret of that name; the first call for a name makes it, once, also when calls come at the same time. */
  readOrCreateSecret(name: string, make: () => string | Promise<string>): Promise<string>
  close(): void
}

/** Throws `DataDirInUse`, naming the holder, when another process (or this one) has the directory open. */
export async function openDataDir(path: string): Promise<DataDir> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const directory = await realpath(path)
  const lock = await takeLock(directory)
  return {
    path: directory,
    readOrCreateSecret: (name, make) => readOrCreateSecret(directory, name, make),
    close() {
      if (lock.isOpen) lock.close()
    },
  }
}

/**
 * The lock is SQLite's, held by an open transaction on an empty database file: a lock of the operating system (fcntl, or
 * LockFileEx on Windows), so two starters cannot both get it, and the kernel drops it when the process dies. A file with
 * a pid in it can promise neither. Children do not inherit it, so a postgres left behind does not hold it.
 *
 * Danger: POSIX drops the lock when this process closes *any* descriptor of the file. So nothing else ever opens it, and
 * who holds it is written in a file of its own.
 */
async function takeLock(directory: string): Promise<DatabaseSync> {
  const file = join(directory, 'lock')
  await createEmpty(file)
  const database = new DatabaseSync(file)
  try {
    database.exec('pragma journal_mode = memory; begin exclusive')
  } catch (cause) {
    database.close()
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause
    throw new DataDirInUse(`${directory} is in use by ${await readHolder(directory)}. Stop it, or set DATA_DIR.`, {
      cause,
    })
  }
  await writeFile(join(directory, 'lock-holder'), `process ${process.pid} on ${hostname()} since ${startedAt()}\n`)
  return database
}

const SQLITE_BUSY = 5

/** `wx` does not open a file that exists, see the danger above. */
async function createEmpty(file: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch(unless('EEXIST'))
  await handle?.close()
}

async function readHolder(directory: string): Promise<string> {
  const holder = await readFile(join(directory, 'lock-holder'), 'utf8').catch(() => '')
  return holder.trim() || 'another process'
}

const startedAt = () => new Date(Date.now() - process.uptime() * 1000).toISOString()

async function readOrCreateSecret(directory: string, name: string, make: () => string | Promise<string>) {
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(name)) throw new Error(`"${name}" cannot be the name of a secret`)
  const file = join(directory, name)
  return (await readSecret(file)) ?? (await createSecret(directory, file, await make()))
}

async function readSecret(file: string): Promise<string | undefined> {
  const secret = await readFile(file, 'utf8').catch(unless('ENOENT'))
  if (secret !== undefined) await chmod(file, 0o600)
  return secret
}

/** Whole or not at all, and never over one that exists: `link` decides who was first. */
async function createSecret(directory: string, file: string, secret: string): Promise<string> {
  const temporary = `${file}.${crypto.randomUUID()}`
  try {
    await writeFile(temporary, secret, { mode: 0o600, flag: 'wx', flush: true })
    await link(temporary, file).catch(unless('EEXIST'))
    await syncDirectory(directory)
  } finally {
    await rm(temporary, { force: true })
  }
  return await readFile(file, 'utf8')
}

/** A new name survives a power cut only when its directory was synced too. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY)
  await handle.sync().finally(() => handle.close())
}

const unless = (code: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== code) throw error
  return undefined
}

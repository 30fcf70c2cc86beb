import { execFile } from 'node:child_process'
import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PostgresPrograms } from './postgres-programs.ts'

const run = promisify(execFile)

/**
 * Makes the way free for a new postmaster. One that outlived its parent (kill -9 of node leaves postgres running) is shut
 * down in good order. The caller holds the data directory, so nobody else's can be running in it.
 *
 * A `postmaster.pid` that names a dead process is postgres's own business: it then asks the kernel whether the old
 * cluster's memory is still in use, which tells of backends that outlive their postmaster. So the file is never removed.
 */
export async function clearTheWay(directory: string, programs: PostgresPrograms): Promise<void> {
  const pid = await readPid(directory)
  if (!pid || !isAlive(pid)) return
  if (!(await runsIn(pid, directory))) return disown(directory)
  await stop(directory, programs, 'fast').catch(() => stop(directory, programs, 'immediate'))
}

async function readPid(directory: string): Promise<number | undefined> {
  const file = await readFile(pidFile(directory), 'utf8').catch(() => '')
  // Negative: a single-user postgres.
  return Math.abs(Number.parseInt(file, 10)) || undefined
}

const pidFile = (directory: string) => join(directory, 'postmaster.pid')

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Pids are reused, so a live one proves nothing. A postmaster's working directory is its data directory. */
async function runsIn(pid: number, directory: string): Promise<boolean> {
  if (process.platform !== 'linux') return commandNames(pid, directory)
  const [ours, theirs] = await Promise.all([stat(directory), stat(`/proc/${pid}/cwd`).catch(() => undefined)])
  return theirs?.dev === ours.dev && theirs.ino === ours.ino
}

async function commandNames(pid: number, directory: string): Promise<boolean> {
  const { stdout } = await run('ps', ['-p', `${pid}`, '-o', 'command=']).catch(() => ({ stdout: '' }))
  return stdout.includes('postgres') && stdout.includes(directory)
}

/**
 * Postgres refuses to start while the pid in the file lives and could be a postgres, that is: belongs to its own user.
 * It makes one exception, its own parent, which is us. The other lines stay, for the question about shared memory.
 */
async function disown(directory: string): Promise<void> {
  const file = pidFile(directory)
  const [, ...rest] = (await readFile(file, 'utf8')).split('\n')
  const { uid, gid } = await stat(file)
  await writeFile(`${file}.disowned`, [process.pid, ...rest].join('\n'), { mode: 0o600 })
  await chown(`${file}.disowned`, uid, gid)
  await rename(`${file}.disowned`, file)
}

const stop = (directory: string, programs: PostgresPrograms, mode: 'fast' | 'immediate') =>
  programs.run('pg_ctl', ['stop', '-D', directory, '-m', mode, '-w', '-t', '30'])

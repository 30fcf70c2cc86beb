import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DATABASE, PASSWORD_FILE, ROLE } from './postgres-cluster.ts'

/**
 * How to reach the embedded PostgreSQL that another process runs in a data directory. Postgres keeps its port in the fourth line of
 * `postmaster.pid`. `undefined` where none has run.
 */
export async function runningPostgresUrl(dataDir: string): Promise<string | undefined> {
  const [pidFile, password] = await Promise.all([
    read(join(dataDir, 'postgres', 'postmaster.pid')),
    read(join(dataDir, PASSWORD_FILE)),
  ])
  const port = Number(pidFile?.split('\n')[3])
  return password && port ? `postgres://${ROLE}:${password}@127.0.0.1:${port}/${DATABASE}` : undefined
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

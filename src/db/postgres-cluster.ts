import { chown, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataDir } from './data-dir.ts'
import type { PostgresPrograms } from './postgres-programs.ts'
import { clearTheWay } from './postmaster.ts'

export const DATABASE = 'fieldstation'
export const ROLE = 'fieldstation'

export class PostgresVersionMismatch extends Error {
  override name = 'PostgresVersionMismatch'
}

/**
 * The directory of a cluster of ours, made when there is none. It appears complete or not at all, so whatever was
 * interrupted on the first start is simply started again.
 *
 * The service logs in as a role that owns its database and may create others, no more. PostgreSQL's superuser has no
 * password and therefore cannot log in; `postgres --single` is the way to be it.
 */
export async function prepareCluster(
  dataDir: DataDir,
  programs: PostgresPrograms,
  { durable }: { durable: boolean },
): Promise<{ directory: string; password: string }> {
  const directory = join(dataDir.path, 'postgres')
  const isNewPassword = !(await exists(join(dataDir.path, PASSWORD_FILE)))
  const password = await dataDir.readOrCreateSecret(PASSWORD_FILE, randomPassword)
  if (!(await exists(directory))) {
    await createCluster(dataDir.path, directory, programs, { durable, password })
  } else {
    await assertVersion(directory, programs.majorVersion)
    await clearTheWay(directory, programs)
    if (isNewPassword) await runSql(programs, directory, [`alter role ${ROLE} password '${password}'`])
  }
  return { directory, password }
}

export const PASSWORD_FILE = 'database-password'

/** No quote, backslash or URL-reserved character, as it goes into SQL and into a URL. */
const randomPassword = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')

async function createCluster(
  dataDir: string,
  directory: string,
  programs: PostgresPrograms,
  { durable, password }: { durable: boolean; password: string },
): Promise<void> {
  await removeUnfinished(dataDir)
  const unfinished = join(dataDir, `${UNFINISHED}${crypto.randomUUID()}`)
  await mkdir(unfinished, { mode: 0o700 })
  if (programs.owner) await chown(unfinished, programs.owner.uid, programs.owner.gid)
  await programs.run('initdb', [`--pgdata=${unfinished}`, ...INITDB_OPTIONS, ...(durable ? [] : ['--no-sync'])])
  await runSql(programs, unfinished, [
    `create role ${ROLE} login createdb password '${password}'`,
    `create database ${DATABASE} owner ${ROLE}`,
  ])
  await rename(unfinished, directory)
}

const INITDB_OPTIONS = [
  '--username=postgres',
  '--encoding=UTF8',
  '--locale=C',
  '--auth-local=reject',
  '--auth-host=scram-sha-256',
  '--no-instructions',
]

const UNFINISHED = 'postgres.unfinished-'

/** Best effort: an orphaned initdb may still be writing into it. */
async function removeUnfinished(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(UNFINISHED)) await rm(join(dataDir, name), { recursive: true, force: true }).catch(() => {})
  }
}

async function assertVersion(directory: string, majorVersion: string): Promise<void> {
  const found = (await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim()
  if (found === majorVersion) return
  throw new PostgresVersionMismatch(
    `${directory} was written by PostgreSQL ${found}; this version of Fieldstation brings PostgreSQL ${majorVersion}, ` +
      'which cannot read it. Nothing was changed. Either go back to the version of Fieldstation that wrote it, dump the ' +
      'database there (pg_dump) and restore it into a new DATA_DIR; or run a PostgreSQL of your own and set DATABASE_URL.',
  )
}

/** Only while no postmaster runs. One statement a line; the first that fails ends it. */
const runSql = (programs: PostgresPrograms, directory: string, statements: string[]) =>
  programs.run(
    'postgres',
    ['--single', '-D', directory, '-c', 'exit_on_error=on', 'postgres'],
    `${statements.join('\n')}\n`,
  )

const exists = (path: string) =>
  stat(path).then(
    () => true,
    (error) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )

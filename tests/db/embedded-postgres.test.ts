import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import postgres, { type Sql } from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type DataDir, openDataDir } from '../../src/db/data-dir.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'
import * as freePort from '../../src/db/free-port.ts'
import { PostgresVersionMismatch } from '../../src/db/postgres-cluster.ts'

const execute = promisify(execFile)

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let path: string
/** A data directory with a cluster in it, from which the tests that are not about making one start. */
let made: string
let cleanUp: (() => unknown)[] = []

beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'fieldstation-postgres-'))
  const dataDir = await openDataDir(made)
  const server = await startEmbeddedPostgres({ dataDir, log: { info() {}, warn() {}, error() {} }, durable: false })
  await server.stop()
  dataDir.close()
})

afterAll(() => rm(made, { recursive: true }))

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'fieldstation-postgres-'))
})

afterEach(async () => {
  for (const step of cleanUp.reverse()) await step()
  cleanUp = []
  await rm(path, { recursive: true })
})

/** Whether others may enter a folder, and all those that it is in. */
async function isOpenToAll(folder: string): Promise<boolean> {
  const { mode } = await stat(folder)
  if (!(mode & 0o001)) return false
  return folder === dirname(folder) || isOpenToAll(dirname(folder))
}

describe('startEmbeddedPostgres', () => {
  test('starts a PostgreSQL 18 with our database and settings, that a role without power over the server owns', async () => {
    const { sql } = await start({ settings: { max_connections: '42' } })

    const [row] = await sql`
      select
        current_setting('server_version_num')::int / 10000 as version, current_database() as database,
        (select datcollate from pg_database where datname = current_database()) as collation,
        current_setting('server_encoding') as encoding, current_setting('listen_addresses') as addresses,
        current_setting('max_connections') as connections, current_setting('jit') as jit,
        (select rolsuper from pg_roles where rolname = current_user) as is_superuser
    `

    expect(row).toEqual({
      version: 18,
      database: 'fieldstation',
      collation: 'C',
      encoding: 'UTF8',
      addresses: '127.0.0.1',
      connections: '42',
      jit: 'off',
      is_superuser: false,
    })
  })

  test('lets its role create and drop databases, as tests clone them from templates', async () => {
    await haveCluster()
    const { sql } = await start()

    await sql`create database pattern`
    await sql`create database clone template pattern`
    await sql`drop database clone`
  })

  test('asks for the password, which is kept in a secret file', async () => {
    await haveCluster()
    const { server } = await start()
    const url = new URL(server.url)
    const password = await readFile(join(path, 'database-password'), 'utf8')

    expect(url.password).toBe(password)
    url.password = 'wrong'
    await expect(connect(url.href)`select 1`).rejects.toMatchObject({ code: '28P01' })
    url.username = 'postgres'
    url.password = ''
    await expect(connect(url.href)`select 1`).rejects.toThrow()
  })

  test('keeps the data over a restart', async () => {
    await haveCluster()
    const first = await start()
    await first.sql`create table kept as select 42 as answer`
    await first.stop()

    const { sql } = await start()

    expect(await sql`select answer from kept`).toEqual([{ answer: 42 }])
  })

  test('stops although a client is in the middle of a transaction', async () => {
    await haveCluster()
    const { sql, server } = await start()
    const reserved = await sql.reserve()
    await reserved`begin`

    await server.stop()

    await expect(connect(server.url)`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await readdir(join(path, 'postgres'))).not.toContain('postmaster.pid')
  })

  test('starts over when the first start was interrupted', async () => {
    const dataDir = await open()
    await writeFile(join(path, 'postgres.unfinished-1'), 'half an initdb')

    const { sql } = await start({}, dataDir)

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    expect(await readdir(path)).not.toContain('postgres.unfinished-1')
  })

  test('makes a new password when that file was lost', async () => {
    await haveCluster()
    await rm(join(path, 'database-password'))

    const { sql } = await start()

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })

  test.runIf(process.getuid?.() === 0)('gives postgres no power of root where it needs none', async () => {
    await haveCluster()
    await start()

    const status = await readFile(`/proc/${await postmasterPid()}/status`, 'utf8')

    // Where the project itself lies in a closed directory, it needs the one to pass through: CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE.
    expect(status).toMatch((await isOpenToAll(process.cwd())) ? /^CapEff:\s+0+$/m : /^CapEff:\s+0+[42]$/m)
    expect(status).not.toMatch(/^Uid:\s+0/m)
    expect((await stat(path)).mode & 0o777).toBe(0o711)
  })

  test('starts where only the user of this process may enter', async () => {
    const closed = join(path, 'closed')
    await mkdir(closed, { mode: 0o700 })
    const dataDir = await openDataDir(join(closed, 'data'))
    cleanUp.push(() => dataDir.close())

    const { sql } = await start({}, dataDir)

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    expect((await stat(closed)).mode & 0o777).toBe(0o700)
  })

  test('takes another port when somebody was faster', async () => {
    await haveCluster()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    cleanUp.push(() => taken.close())
    const { port } = taken.address() as { port: number }
    const find = vi.spyOn(freePort, 'findFreePort')
    find.mockResolvedValueOnce(port)

    const { sql } = await start()

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    find.mockRestore()
  })

  test('refuses data of another PostgreSQL version, says what to do, and leaves it as it was', async () => {
    await haveCluster()
    const file = join(path, 'postgres', 'PG_VERSION')
    await writeFile(file, '17\n')

    const refused = start()

    await expect(refused).rejects.toThrow(PostgresVersionMismatch)
    await expect(refused).rejects.toThrow('DATABASE_URL')
    expect(await readFile(file, 'utf8')).toBe('17\n')
  })
})

describe('a postgres that was left behind', () => {
  test('is stopped in good order, and its data are there', async () => {
    await haveCluster()
    const { child, url } = await startInChild()
    const abandoned = connect(url)
    await abandoned`create table kept as select 42 as answer`
    const before = await postmasterPid()
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isAlive(before)).toBe(true)

    const { sql, lines } = await start()

    expect(isAlive(before)).toBe(false)
    expect(await sql`select answer from kept`).toEqual([{ answer: 42 }])
    expect(lines.join('\n')).not.toContain('recovery')
  })

  test('ends by itself when its parent ended without stopping it, other than by kill -9', async () => {
    await haveCluster()
    const { child } = await startInChild()
    const pid = await postmasterPid()

    child.stdin?.write('exit')

    await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false)
  })
})

describe('a stale postmaster.pid', () => {
  test('of a dead process does not hinder', async () => {
    await haveCluster()
    const dead = spawn(process.execPath, ['-e', ''])
    await once(dead, 'exit')
    const { sql } = await startWithPidFile(dead.pid)

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })

  test('whose pid is now another program does not hinder, nor hurt that program', async () => {
    await haveCluster()
    const { uid, gid } = await clusterOwner()
    const other = spawn('sleep', ['600'], { uid, gid })
    cleanUp.push(() => other.kill('SIGKILL'))
    await once(other, 'spawn')

    const { sql } = await startWithPidFile(other.pid)

    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    expect(isAlive(other.pid)).toBe(true)
  })

  async function startWithPidFile(pid: number | undefined) {
    const file = join(path, 'postgres', 'postmaster.pid')
    const { uid, gid } = await clusterOwner()
    await writeFile(
      file,
      `${pid}\n${join(path, 'postgres')}\n1700000000\n5432\n\n127.0.0.1\n    123456         7\nready   \n`,
    )
    await chown(file, uid, gid)
    return start()
  }

  const clusterOwner = () => stat(join(path, 'postgres'))
})

describe('a postgres that is killed while we run', () => {
  test('comes back at the same address, with everything that was committed, and can be stopped then', async () => {
    await haveCluster()
    const { sql, server } = await start({ durable: true })
    await sql`create table kept as select 42 as answer`
    const before = await postmasterPid()

    process.kill(before, 'SIGKILL')

    await expect.poll(postmasterPid, { timeout: 30_000 }).not.toBe(before)
    await expect.poll(() => sql`select answer from kept`.catch(() => []), { timeout: 30_000 }).toEqual([{ answer: 42 }])
    const after = await postmasterPid()
    await server.stop()
    expect(isAlive(after)).toBe(false)
  })

  test('stays down when it was being stopped', async () => {
    await haveCluster()
    const { server } = await start()
    const pid = await postmasterPid()

    process.kill(pid, 'SIGKILL')
    await server.stop()

    expect(isAlive(pid)).toBe(false)
    await expect(connect(server.url)`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

/** As after a first start and a stop: making a cluster takes longer than all that most tests do with it. */
const haveCluster = () => execute('cp', ['-a', join(made, 'postgres'), join(made, 'database-password'), path])

async function open(): Promise<DataDir> {
  const dataDir = await openDataDir(path)
  cleanUp.push(() => dataDir.close())
  return dataDir
}

async function start(options: { durable?: boolean; settings?: Record<string, string> } = {}, dataDir?: DataDir) {
  const directory = dataDir ?? (await open())
  const lines: string[] = []
  const write = (message: string, fields?: object) => lines.push(`${message} ${JSON.stringify(fields)}`)
  const log = { info: write, warn: write, error: write }
  const server: EmbeddedPostgres = await startEmbeddedPostgres({
    dataDir: directory,
    log,
    durable: false,
    ...options,
  }).catch((error) => {
    directory.close()
    throw error
  })
  cleanUp.push(() => server.stop())
  const sql = connect(server.url)
  const stop = async () => {
    await sql.end()
    await server.stop()
    directory.close()
  }
  return { server, sql, lines, stop }
}

function connect(url: string): Sql {
  const sql = postgres(url, { max: 1, onnotice() {}, backoff: () => 0.05 })
  cleanUp.push(() => sql.end({ timeout: 0 }))
  return sql
}

async function startInChild(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'hold-postgres.ts'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  cleanUp.push(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout!, 'data')
  return { child, url: String(line).trim() }
}

async function postmasterPid(): Promise<number> {
  return Number.parseInt(await readFile(join(path, 'postgres', 'postmaster.pid'), 'utf8'), 10)
}

/** A zombie, which its new parent has yet to collect, is not alive. */
function isAlive(pid: number | undefined): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

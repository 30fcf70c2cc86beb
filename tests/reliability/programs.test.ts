import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { generateSigningKey, splitPem } from '../../src/auth/access-tokens.ts'
import { openDataDir } from '../../src/db/data-dir.ts'
import { connect } from '../../src/db/sql.ts'
import { startHttpServer } from '../../src/main/http-server.ts'
import { run, temporaryFolder } from '../support/processes.ts'
import { createDatabase } from '../support/service.ts'

const stack = /^\s+at /m

/** Runs a program that is expected to refuse its start, and gives the sentence. */
async function refusal(file: string, env: Record<string, string>): Promise<string> {
  const { code, errors } = await run(file, { LOG_LEVEL: 'silent', ...env })
  expect(errors).not.toMatch(stack)
  expect(code).toBe(1)
  return errors
}

const unreachable = 'postgres://nobody:secret@127.0.0.1:1/none'

describe('a start that cannot be is refused with a sentence', () => {
  test.each([
    ['src/main/node.ts', { PORT: 'http' }, 'PORT is wrong'],
    ['src/main/worker.ts', {}, 'FIELDSTATION_URL is missing'],
    ['src/main/migrate.ts', {}, 'DATABASE_URL is missing'],
    ['src/main/migrate.ts', { DATABASE_URL: unreachable }, 'The database at 127.0.0.1:1 cannot be used'],
    ['src/main/node.ts', { JWT_PRIVATE_KEY: 'PEM' }, 'JWT_PRIVATE_KEY is wrong'],
    ['scripts/rotate-key.ts', { JWT_PRIVATE_KEY: generateSigningKey() }, 'JWT_PRIVATE_KEY is set'],
    ['scripts/rotate-key.ts', { DATA_DIR: '/nowhere' }, '/nowhere/jwt-key.pem is not there'],
  ])('%s %j', async (file, env, sentence) => {
    expect(await refusal(file, env)).toContain(sentence)
  })

  test('where another process has the data directory', async () => {
    const folder = await temporaryFolder()
    const dataDir = await openDataDir(folder)

    expect(await refusal('src/main/node.ts', { DATA_DIR: folder })).toContain('is in use by process')
    dataDir.close()
  })

  test('where the database was written by another PostgreSQL', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'postgres'))
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), '9\n')

    expect(await refusal('src/main/node.ts', { DATA_DIR: folder })).toContain('was written by PostgreSQL 9')
  })

  test('where the port is taken, and makes no admin whose password nobody would see', async () => {
    const server = await startHttpServer({ host: '127.0.0.1', port: 0, fetch: () => new Response() })
    const [DATABASE_URL, DATA_DIR] = [await createDatabase(), await temporaryFolder()]
    const sql = connect(DATABASE_URL, { max: 1 })

    const sentence = await refusal('src/main/node.ts', { DATABASE_URL, DATA_DIR, PORT: new URL(server.url).port })

    expect(sentence).toContain('something else listens there')
    expect(await sql`select from users`).toHaveLength(0)
    await sql.end()
    await server.stop()
  })
})

test('where the service refuses the key of a worker', async () => {
  const service = createServer((_, response) => {
    response.writeHead(401, { 'content-type': 'application/problem+json' })
    response.end(JSON.stringify({ status: 401, code: 'unauthenticated', detail: 'Nobody knows this key.' }))
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  const { port } = service.address() as AddressInfo
  const FIELDSTATION_URL = `http://127.0.0.1:${port}`

  const { code, errors } = await run('src/main/worker.ts', {
    FIELDSTATION_URL,
    FIELDSTATION_API_KEY: 'fs_x',
    LOG_LEVEL: 'silent',
  })
  service.close()

  expect({ code, errors }).toEqual({
    code: 1,
    errors: 'The service refuses FIELDSTATION_API_KEY: Nobody knows this key.\n',
  })
})

test('a failure that nobody foresaw keeps its stack', async () => {
  const { code, errors } = await run('tests/support/fails.ts', {})

  expect(code).toBe(1)
  expect(errors).toMatch(/The sea is rough[\s\S]*\n\s+at /)
})

describe('npm run rotate-key', () => {
  test('puts a new key in front, and drops the old ones when told', async () => {
    const DATA_DIR = await temporaryFolder()
    const file = join(DATA_DIR, 'jwt-key.pem')
    const old = generateSigningKey()
    await writeFile(file, old)

    expect(await run('scripts/rotate-key.ts', { DATA_DIR })).toMatchObject({ code: 0 })

    const keys = splitPem(await readFile(file, 'utf8'))
    expect(keys).toEqual([expect.any(String), old.trim()])
    expect(keys[0]).not.toBe(old.trim())
  })
})

import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createClient } from '../../sdk/index.ts'
import { readConfig } from '../../src/config.ts'
import { connect } from '../../src/db/sql.ts'
import { startService } from '../../src/service.ts'
import { testJob } from '../support/jobs.ts'
import { end, startBareServiceProcess, temporaryFolder } from '../support/processes.ts'
import { createDatabase, memoryLog } from '../support/service.ts'

describe('the service without any configuration', () => {
  test('makes an admin, tells the password once, and does jobs with a worker that it starts again when killed', async () => {
    const environment = { PORT: '0', DATA_DIR: await temporaryFolder() }
    const first = await startBareServiceProcess(environment)
    const password = await first.found(/admin@fieldstation\.local\s+(\S+)/)
    const credentials = { email: 'admin@fieldstation.local', password }
    const client = createClient({ baseUrl: first.url, credentials })

    expect(await client.users.me()).toMatchObject({ roles: ['USER', 'ADMIN'] })
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
    expect(first.output()).toContain('1 beside the service')

    const { jobId } = await client.jobs.create(testJob())
    expect(await client.jobs.wait(jobId)).toMatchObject({ status: 'SUCCEEDED' })
    const pid = Number(await first.found(/"workerPid":(\d+),"msg":"local worker started"/))
    process.kill(pid, 'SIGKILL')
    await first.printed('local worker ended, starting it again')
    const { jobId: nextId } = await client.jobs.create(testJob())
    expect(await client.jobs.wait(nextId)).toMatchObject({ status: 'SUCCEEDED' })
    expect(await end(first.process, 'SIGTERM')).toBe(0)

    const second = await startBareServiceProcess(environment)
    expect(second.output()).not.toContain('password')
    const again = createClient({ baseUrl: second.url, credentials })
    expect(await again.users.me()).toMatchObject({ email: credentials.email })
    expect(await end(second.process, 'SIGTERM')).toBe(0)
  })
})

/** The service in this process, without workers. */
async function start(environment: Record<string, string>) {
  const log = memoryLog()
  const DATA_DIR = await temporaryFolder()
  const service = await startService(readConfig({ PORT: '0', LOCAL_WORKERS: '0', DATA_DIR, ...environment }), log)
  return { ...service, log }
}

describe('the account of the local workers', () => {
  const email = 'worker@fieldstation.local'

  test('is made before anybody can take its email', async () => {
    const service = await start({ DATABASE_URL: await createDatabase() })
    const client = createClient({ baseUrl: service.url, retries: 0 })

    expect(service.workerKey).toMatch(/^fs_/)
    await expect(client.auth.register({ email, password: randomUUID() })).rejects.toMatchObject({ code: 'email_taken' })
    await service.close()
  })

  test.each([
    ['can sign in', { password_hash: 'x', roles: ['USER', 'WORKER'] }],
    ['could, once they have a password', { password_hash: null, roles: ['USER', 'WORKER'] }],
    ['is no worker', { password_hash: null, roles: ['USER'], is_service: true }],
  ])('is not adopted from somebody who %s: there are no local workers then', async (_, columns) => {
    const DATABASE_URL = await createDatabase()
    const sql = connect(DATABASE_URL, { max: 1 })
    await sql`insert into users ${sql({ id: randomUUID(), email, ...columns })}`

    const service = await start({ DATABASE_URL })

    expect(service.workerKey).toBeUndefined()
    expect(service.log.lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: { email } }))
    expect(await sql`select from api_keys`).toHaveLength(0)
    await service.close()
    await sql.end()
  })
})

describe('the admin that the configuration names', () => {
  test('is made also with a password that is easy to guess, and a warning says so', async () => {
    const [ADMIN_EMAIL, ADMIN_PASSWORD] = ['ana@reef.example', 'password1234']
    const service = await start({ DATABASE_URL: await createDatabase(), ADMIN_EMAIL, ADMIN_PASSWORD })
    const client = createClient({
      baseUrl: service.url,
      credentials: { email: ADMIN_EMAIL, password: ADMIN_PASSWORD },
    })

    expect(await client.users.me()).toMatchObject({ roles: ['USER', 'ADMIN'] })
    const word = expect.objectContaining({ level: 'warn', message: 'ADMIN_PASSWORD is easy to guess' })
    expect(service.log.lines).toContainEqual(word)
    expect(JSON.stringify(service.log.lines)).not.toContain(ADMIN_PASSWORD)
    await service.close()
  })
})

describe('links to files', () => {
  const word = expect.objectContaining({ level: 'warn', message: expect.stringContaining('set PUBLIC_URL') })

  test('lead to this machine where the service listens on all addresses, and a warning says so', async () => {
    const service = await start({ DATABASE_URL: await createDatabase(), HOST: '0.0.0.0' })

    expect(service.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(service.log.lines).toContainEqual(word)
    await service.close()
  })

  test('begin with PUBLIC_URL where it is given', async () => {
    const PUBLIC_URL = 'https://api.reef.example/'
    const service = await start({ DATABASE_URL: await createDatabase(), HOST: '0.0.0.0', PUBLIC_URL })

    expect(service.url).toBe('https://api.reef.example')
    expect(service.log.lines).not.toContainEqual(word)
    await service.close()
  })
})

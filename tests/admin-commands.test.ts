import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { createClient } from '../sdk/index.ts'
import { BadUsage } from '../src/admin-commands.ts'
import { composeAdmin } from '../src/compose-admin.ts'
import { admin, spawnNode, startServiceProcess, temporaryFolder } from './support/processes.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()

const commands = composeAdmin(service.sql, 'https://console.reef.example/reset')
const command = (...words: string[]) => commands.run(words)

/** `npm run admin`, to its end. */
async function run(args: string[], env: Record<string, string> = { DATABASE_URL: service.databaseUrl }) {
  const child = spawnNode('src/main/admin.ts', env, { args })
  const [output, errors] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')])
  return { code: child.exitCode, output: output.trim(), errors }
}

const tokenIn = (output: string) => /#token=(\S+)/.exec(output)![1]!
const newcomer = () => `${crypto.randomUUID()}@reef.example`

describe('the command', () => {
  test('create-user makes an account, whose password its link sets', async () => {
    const email = newcomer()

    const output = await command('create-user', email, '--name', 'Ana Torres', '--role', 'WORKER')
    await service.client().auth.resetPassword({ token: tokenIn(output), password: 'quiet-lagoons-hold-rain' })
    const client = service.client({ credentials: { email, password: 'quiet-lagoons-hold-rain' } })

    expect((await client.auth.profile()).user).toMatchObject({ email, name: 'Ana Torres', roles: ['USER', 'WORKER'] })
  })

  test('reset-password prints a way back in, which works once', async () => {
    const { email } = await service.person()

    const token = tokenIn(await command('reset-password', email))

    await service.client().auth.resetPassword({ token, password: 'quiet-lagoons-hold-rain' })
    await expect(
      service.client().auth.resetPassword({ token, password: 'other-lagoons-hold-rain' }),
    ).rejects.toMatchObject({
      code: 'invalid_reset_token',
    })
  })

  test('grant and revoke change roles, and not those of the last admin', async () => {
    const { id, email } = await service.person()

    expect(await command('grant', email, 'ADMIN', 'WORKER')).toBe(`${email} is USER, WORKER, ADMIN`)
    expect(await command('revoke', email, 'WORKER')).toBe(`${email} is USER, ADMIN`)
    await expect(command('revoke', email, 'ADMIN')).rejects.toMatchObject({ code: 'last_admin' })

    const acts = await service.sql`
      select action, actor_kind
      from audit_events
      where user_id = ${id}
      order by id
    `
    expect(acts.map(({ action, actorKind }) => `${actorKind} ${action}`)).toEqual([
      'operator roles_changed',
      'operator roles_changed',
    ])
  })

  test('list-users prints who there is', async () => {
    const [one, worker] = [await service.person(), await service.person('WORKER')]

    const everybody = await command('list-users')
    const workers = await command('list-users', '--role', 'WORKER')

    expect(everybody).toContain(`${one.id}\t${one.email}\tUSER`)
    expect(workers).toContain(worker.email)
    expect(workers).not.toContain(one.email)
  })

  test('create-key prints a key that opens what its scopes name', async () => {
    const { email } = await service.person('WORKER')
    const { email: nobodys } = await service.person()
    const until = ['--expires-at', '2099-01-01T00:00:00Z']

    const key = await command('create-key', email, 'boat-1', '--scope', 'jobs:work', ...until)

    expect(await service.client({ apiKey: key }).worker.poll()).toEqual([])
    const refused = command('create-key', nobodys, 'boat-2', '--scope', 'jobs:work')
    await expect(refused).rejects.toMatchObject({ code: 'forbidden' })
  })

  test('link-identity lets somebody in by an issuer, once', async () => {
    const { id, email } = await service.person()
    const link = ['link-identity', email, 'LabCAS', `ana-${id}`]

    await command(...link)

    await expect(command(...link)).rejects.toThrow('linked already')
    expect(await service.sql`select user_id from identities where issuer = 'LabCAS'`).toEqual([{ userId: id }])
  })

  test.each(['reset-password', 'link-identity'])('%s opens no account of the service itself', async (name) => {
    const email = newcomer()
    await service.firstAccounts.ensureServiceAccount(email, 'A program', ['USER'])

    const refused = command(name, email, ...(name === 'link-identity' ? ['LabCAS', 'ana'] : []))

    await expect(refused).rejects.toMatchObject({ code: 'forbidden' })
  })

  test.each([
    [['dance'], 'There is no command dance.'],
    [['constructor'], 'There is no command constructor.'],
    [['create-user'], 'Missing: EMAIL'],
    [['create-user', 'a@reef.example', 'b@reef.example'], 'Too much: b@reef.example'],
    [['create-user', 'no address'], 'email'],
    [['grant', 'a@reef.example'], 'Missing: ROLE'],
    [['grant', 'a@reef.example', 'KING'], 'There is no role KING.'],
    [['create-key', 'a@reef.example', 'k'], 'needs a --scope'],
    [['create-key', 'a@reef.example', 'k', '--scope', 'all'], 'There is no scope all.'],
    [['create-key', 'a@reef.example', 'k', '--scope', 'jobs:read', '--expires-at', 'soon'], 'is no instant'],
    [['list-users', '--colour', 'red'], '--colour'],
  ])('%j is wrong usage, with a word on what is wrong', async (args, message) => {
    const outcome = await command(...args).catch((error: unknown) => error)

    expect(outcome).toBeInstanceOf(BadUsage)
    expect((outcome as BadUsage).message).toContain(message)
  })
})

describe('npm run admin', () => {
  test('ends with 2 and the usage where it was called wrongly, and with 1 and a sentence where it cannot be done', async () => {
    const [wrong, impossible] = await Promise.all([run(['dance']), run(['reset-password', 'nobody@reef.example'])])

    expect(wrong).toMatchObject({ code: 2, output: '', errors: expect.stringContaining('Usage: npm run admin') })
    expect(impossible).toEqual({ code: 1, output: '', errors: 'There is no person nobody@reef.example.\n' })
  })

  test('makes no database of its own where there is none', async () => {
    const DATA_DIR = await temporaryFolder()

    expect(await run(['list-users'], { DATA_DIR })).toMatchObject({
      code: 1,
      errors: expect.stringContaining('DATA_DIR'),
    })
    expect(await readdir(DATA_DIR)).toEqual([])
  })

  test('works beside a service that runs on the embedded database, and without it', async () => {
    const DATA_DIR = await temporaryFolder()
    const { url, process: running } = await startServiceProcess({ DATA_DIR })
    const env = { DATA_DIR, LOG_LEVEL: 'warn' }

    const { output } = await run(['create-key', admin.email, 'operator', '--scope', 'polygons:read'], env)
    expect(await createClient({ baseUrl: url, apiKey: output }).polygons.list()).toEqual({ items: [] })

    const exit = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGTERM')
    await exit
    expect((await run(['list-users', '--role', 'ADMIN'], env)).output).toContain(admin.email)
  })
})

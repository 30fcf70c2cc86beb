import { parseArgs } from 'node:util'
import { ApiKeyCreateSchema, EmailSchema, PersonNameSchema, RoleSchema, ScopeSchema } from '../generated/schemas.ts'
import type { Actor, AuditLog } from './audit/audit-log.ts'
import type { ApiKeyService } from './auth/api-key-service.ts'
import type { Role } from './auth/caller.ts'
import type { IdentityStore } from './auth/identity-store.ts'
import type { PasswordResets } from './auth/password-resets.ts'
import { maxSubjectLength } from './auth/trusted-issuers.ts'
import type { Sql, Tx } from './db/sql.ts'
import type { AccountService } from './users/account-service.ts'
import { ofTheService, type UserService } from './users/user-service.ts'

export interface AdminCommandDeps {
  sql: Sql
  users: Pick<UserService, 'find' | 'list' | 'changeRoles'>
  accounts: Pick<AccountService, 'create'>
  apiKeys: Pick<ApiKeyService, 'create'>
  resets: Pick<PasswordResets, 'issue'>
  identities: Pick<IdentityStore, 'insert'>
  audit: AuditLog
  /** The page that sets a new password. */
  resetUrl: string
}

/** The command is not one of ours, or lacks something. The message says what. */
export class BadUsage extends Error {
  override name = 'BadUsage'
}

export const usage = `Usage: npm run admin -- COMMAND

  create-user EMAIL [--name NAME] [--role ROLE]...      makes an account, and prints a link that sets its password
  reset-password EMAIL                                  prints a link that sets a new password, good for an hour
  grant EMAIL ROLE...                                   gives roles: USER, WORKER, ADMIN
  revoke EMAIL ROLE...                                  takes roles away
  list-users [--email PREFIX] [--role ROLE]             prints who there is, newest first
  create-key EMAIL NAME --scope SCOPE... [--expires-at INSTANT]
                                                        makes an API key for somebody, and prints it, this once
  link-identity EMAIL ISSUER SUBJECT                    lets somebody in by the tokens of a trusted issuer
`

const operator: Actor = { kind: 'operator' }

type Given = ReturnType<typeof parse>

/** What operators do where there is no console. Each command gives what is to be printed. */
export const adminCommands = (deps: AdminCommandDeps) => {
  const { sql, users, accounts, apiKeys, resets, identities, audit } = deps

  const linkFor = async (userId: string, tx: Tx = sql) => `${deps.resetUrl}#token=${await resets.issue(userId, tx)}`

  /** Somebody who signs in. Programs of ours must stay nobody's to enter. */
  async function personOf(reference: string) {
    const user = await users.find(reference)
    if (user.isService) throw ofTheService()
    return user
  }

  async function changeRoles(reference: string, change: (roles: readonly Role[]) => Role[]): Promise<string> {
    const { id, email, roles } = await users.find(reference)
    return `${email} is ${(await users.changeRoles(id, change(roles), operator)).join(', ')}`
  }

  const commands: Record<string, (given: Given) => Promise<string>> = {
    async 'create-user'({ positionals, values }) {
      const [email] = expect(positionals, 'EMAIL')
      if (!EmailSchema.safeParse(email).success) throw new BadUsage(`${email} is no email address.`)
      const { name } = values
      if (name !== undefined && !PersonNameSchema.safeParse(name).success) throw new BadUsage('This is no name.')
      const roles = rolesIn(values.role)
      const user = await accounts.create({ email, name, ...(roles.length > 0 && { roles }) }, operator)
      return `${user.email} is there, with the id ${user.id}. A password is set at\n${await linkFor(user.id)}`
    },

    async 'reset-password'({ positionals }) {
      const [reference] = expect(positionals, 'EMAIL')
      const { id: userId } = await personOf(reference)
      const link = await sql.begin(async (tx) => {
        await audit.record({ action: 'recovery_requested', actor: operator, userId }, tx)
        return linkFor(userId, tx)
      })
      return `Good for one use within an hour:\n${link}`
    },

    grant({ positionals: [reference, ...names] }) {
      const [email] = expect([reference, names[0]], 'EMAIL', 'ROLE')
      const given = rolesIn(names)
      return changeRoles(email, (roles) => [...roles, ...given])
    },

    revoke({ positionals: [reference, ...names] }) {
      const [email] = expect([reference, names[0]], 'EMAIL', 'ROLE')
      const taken = rolesIn(names)
      return changeRoles(email, (roles) => roles.filter((role) => !taken.includes(role)))
    },

    async 'list-users'({ values }) {
      const [role, ...others] = rolesIn(values.role)
      if (others.length > 0) throw new BadUsage('list-users takes one --role.')
      const lines: string[] = []
      for (let cursor: string | undefined; ; ) {
        const { items, nextCursor } = await users.list({ limit: 100, cursor, email: values.email, role })
        lines.push(
          ...items.map(({ id, email, roles, name }) =>
            [id, email, roles.join(','), name && inOneLine(name)].join('\t'),
          ),
        )
        if (!nextCursor) return lines.join('\n')
        cursor = nextCursor
      }
    },

    async 'create-key'({ positionals, values }) {
      const [reference, name] = expect(positionals, 'EMAIL', 'NAME')
      const scopes = [...new Set(values.scope)].map((scope) => oneOf(ScopeSchema.options, scope, 'scope'))
      if (scopes.length === 0) throw new BadUsage('create-key needs a --scope.')
      if (!ApiKeyCreateSchema.safeParse({ name, scopes }).success) throw new BadUsage('This is no name for a key.')
      const expiresAt = values['expires-at']
      if (expiresAt !== undefined && Number.isNaN(Date.parse(expiresAt)))
        throw new BadUsage(`--expires-at ${expiresAt} is no instant, such as 2027-01-31T00:00:00Z.`)
      const { id: userId, roles } = await personOf(reference)
      return (await apiKeys.create({ userId, roles }, { name, scopes, ...(expiresAt && { expiresAt }) }, operator)).key
    },

    async 'link-identity'({ positionals }) {
      const [reference, issuer, subject] = expect(positionals, 'EMAIL', 'ISSUER', 'SUBJECT')
      if (subject.length > maxSubjectLength) throw new BadUsage('This subject is too long.')
      const { id: userId, email } = await personOf(reference)
      await sql.begin(async (tx) => {
        const isNew = await identities.insert(issuer, subject, userId, tx)
        if (!isNew) throw new BadUsage(`${subject} is linked already.`)
        await audit.record({ action: 'identity_linked', actor: operator, userId, details: { issuer } }, tx)
      })
      return `${email} is let in as ${subject} of ${issuer}.`
    },
  }

  return {
    async run([name, ...args]: readonly string[]): Promise<string> {
      const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
      if (!command) throw new BadUsage(name === undefined ? 'Which command?' : `There is no command ${name}.`)
      return command(parse(args))
    },
  }
}

function parse(args: string[]) {
  const text = { type: 'string' } as const
  const options = {
    name: text,
    email: text,
    role: { ...text, multiple: true },
    scope: { ...text, multiple: true },
    'expires-at': text,
  } as const
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (cause) {
    throw new BadUsage((cause as Error).message, { cause })
  }
}

/** The arguments by their names, none missing and none too many. */
function expect<const Names extends readonly string[]>(
  given: readonly (string | undefined)[],
  ...names: Names
): { [Index in keyof Names]: string } {
  const missing = names.filter((_, index) => !given[index])
  if (missing.length > 0) throw new BadUsage(`Missing: ${missing.join(' ')}`)
  if (given.length > names.length) throw new BadUsage(`Too much: ${given.slice(names.length).join(' ')}`)
  return given as { [Index in keyof Names]: string }
}

/** People choose their names, and a terminal does what control characters say. */
const inOneLine = (name: string) => name.replaceAll(/\p{Cc}/gu, ' ')

const rolesIn = (names: readonly string[] = []): Role[] => names.map((name) => oneOf(RoleSchema.options, name, 'role'))

function oneOf<T extends string>(options: readonly T[], value: string, what: string): T {
  const found = options.find((option) => option === value)
  if (!found) throw new BadUsage(`There is no ${what} ${value}. There are ${options.join(', ')}.`)
  return found
}

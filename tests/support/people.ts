import { randomUUID } from 'node:crypto'
import type { Client, ClientOptions } from '../../sdk/index.ts'
import type { TestService } from './service.ts'

export const password = 'slow-tides-carry-sand'
export const otherPassword = 'quiet-lagoons-hold-rain'

export const newEmail = () => `${randomUUID()}@reef.example`

/** A client that comes from this network address. */
export const from = (service: TestService, address: string, options: Partial<ClientOptions> = {}): Client =>
  service.client({
    ...options,
    fetch: (request) => {
      request.headers.set('x-forwarded-for', address)
      return service.fetch(request)
    },
  })

/** Somebody with a password, who is not signed in. */
export async function register(service: TestService): Promise<{ id: string; email: string }> {
  const email = newEmail()
  const { userId: id } = await service.client().auth.register({ email, password })
  return { id, email }
}

/** A client that holds one session, and does not sign in again when that is over. */
export async function signedIn(service: TestService, email: string, secret = password) {
  const tokens = await service.client().auth.login({ email, password: secret })
  return { ...tokens, client: service.client({ token: tokens.token }) }
}

/** What the audit log has of a person, oldest first. */
export async function auditOf(service: TestService, userId: string): Promise<string[]> {
  const rows = await service.sql<{ action: string }[]>`
    select action from audit_events where user_id = ${userId} order by id
  `
  return rows.map(({ action }) => action)
}

/** The token in the newest mail to this address that has one. */
export async function mailedToken(service: TestService, email: string): Promise<string> {
  const texts = (await service.mails(email)).map(({ text }) => text ?? '')
  const token = texts.findLast((text) => text.includes('#token='))?.match(/#token=(fsp_[\w-]+)/)?.[1]
  if (!token) throw new Error(`There is no mail with a token to ${email}.`)
  return token
}

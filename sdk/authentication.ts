import type { Tokens } from './types.ts'

/** The headers that say who asks. */
export type AuthenticationHeaders = Readonly<Record<string, string>>

/** Who asks, and what to do when the service does not believe it. */
export interface Authentication {
  /** What to send now. May sign in or refresh first. */
  headers(): Promise<AuthenticationHeaders>
  /** The service refused these headers. True where others may be tried. */
  renew(refused: AuthenticationHeaders): Promise<boolean>
  /** New tokens that the caller got by itself. */
  adopt(tokens: Tokens): void
  /** The session is over. */
  forget(): void
}

/** The same headers for everything, whether they are believed or not. */
export const fixedAuthentication = (headers: AuthenticationHeaders): Authentication => ({
  headers: async () => headers,
  renew: async () => false,
  adopt: () => {},
  forget: () => {},
})

/** The caller keeps the token fresh; after a refusal it is asked once more. */
export const tokenFunctionAuthentication = (token: () => string | Promise<string>): Authentication => {
  const headers = async () => bearer(await token())
  return {
    ...fixedAuthentication({}),
    headers,
    renew: async (refused) => (await headers()).Authorization !== refused.Authorization,
  }
}

export const bearer = (token: string): { Authorization: string } => ({ Authorization: `Bearer ${token}` })

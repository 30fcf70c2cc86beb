import { invalidRequest } from '../errors.ts'
import { kept } from '../kept.ts'

const [shortest, longest] = [12, 200]

/** Some hundred kilobytes, read when somebody first chooses a password. */
const commonPasswords = kept(async (): Promise<ReadonlySet<string>> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  return new Set(dictionary['passwords-common'])
})

/** What is wrong with a password for the person with this email, in a sentence; `undefined` if it will do. */
export async function faultOf(password: string, email: string): Promise<string | undefined> {
  const { length } = [...password]
  if (length < shortest || length > longest) return `A password has ${shortest} to ${longest} characters.`
  const lower = password.toLowerCase()
  if (namesOf(email).some((name) => isMadeOf(lower, name))) return 'This password is little more than the email.'
  const isFirstGuess = isCommon(lower, await commonPasswords())
  return isFirstGuess ? 'This password is among the first that others would guess.' : undefined
}

/** `pointer` is where in the body the password stands. */
export async function assertGoodPassword(password: string, email: string, pointer: string): Promise<void> {
  const fault = await faultOf(password, email)
  if (fault) throw invalidRequest(pointer, fault)
}

function namesOf(email: string): string[] {
  const lower = email.toLowerCase()
  return [lower, lower.slice(0, lower.indexOf('@'))]
}

/** Nothing but the word, once or again and again, and what is no letter. */
const isMadeOf = (password: string, word: string) =>
  password.includes(word) && !/\p{Letter}/u.test(password.replaceAll(word, ''))

/** As it stands, without the digits and marks at its ends, or as what it repeats. */
function isCommon(password: string, common: ReadonlySet<string>): boolean {
  const core = password.replaceAll(/^[^a-z]+|[^a-z]+$/g, '')
  const [, repeated] = password.match(/^(.+?)\1+$/) ?? []
  const isShortRefrain = repeated !== undefined && repeated.length <= 4
  return isShortRefrain || [password, core, repeated].some((word) => word !== undefined && common.has(word))
}

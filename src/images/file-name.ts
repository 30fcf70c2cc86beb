import { invalidRequest } from '../errors.ts'

const longest = 255

/**
 * The name under which a file is kept, as its sender wrote it, without the folders that it lay in. Throws `AppError`: an empty name, one
 * of more than 255 characters, one that stands for a folder, or with control characters in it, is no file's. What is left of the sent name
 * follows the rule of `FileTitle` in the contract.
 */
export function fileName(sent: string): string {
  const name = sent.split(/[/\\]/).at(-1)!
  if (['', '.', '..'].includes(name)) throw invalidRequest('/file', 'The file has no name.')
  if (Array.from(name).length > longest)
    throw invalidRequest('/file', `The name of the file has more than ${longest} characters.`)
  if (/\p{Cc}/u.test(name) || !name.isWellFormed())
    throw invalidRequest('/file', 'The name of the file has control characters or half a character.')
  return name
}

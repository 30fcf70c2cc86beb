/**
 * Puts a new signing key in front of those in the data directory: `npm run rotate-key`. Restart the service after it. Tokens of the old
 * key are good until they die, an hour later; run this again with `--drop-old` then. Where JWT_PRIVATE_KEY is set, do the same there.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSigningKey, splitPem } from '../src/auth/access-tokens.ts'
import { BadConfiguration, readConfig } from '../src/config.ts'
import { runProgram } from '../src/main/program.ts'

await runProgram(async () => {
  const { DATA_DIR, JWT_PRIVATE_KEY } = readConfig(process.env)
  if (JWT_PRIVATE_KEY)
    throw new BadConfiguration('JWT_PRIVATE_KEY is set, so no key in DATA_DIR is used: put the new key in front there.')
  const file = join(DATA_DIR, 'jwt-key.pem')
  const keys = splitPem(await readKeys(file))
  const kept = process.argv.includes('--drop-old') ? keys.slice(0, 1) : [generateSigningKey(), ...keys]
  await writeFile(`${file}.new`, kept.map((key) => key.trim()).join('\n'), { mode: 0o600 })
  await rename(`${file}.new`, file)
  process.stdout.write(`${file} holds ${kept.length} key(s). Restart the service.\n`)
})

async function readKeys(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new BadConfiguration(
      `${file} is not there: the service makes it at its first start. Is DATA_DIR the right one?`,
    )
  }
}

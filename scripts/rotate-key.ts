/**
 * Puts a new signing key in front of those in the data directory: `npm run rotate-key`. Restart the service after it. Tokens of the old
 * key are good until they die, an hour later; run this again with `--drop-old` then. Where JWT_PRIVATE_KEY is set, do the same there.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSigningKey, splitPem } from '../src/auth/access-tokens.ts'
import { readConfig } from '../src/config.ts'

const file = join(readConfig(process.env).DATA_DIR, 'jwt-key.pem')
const keys = splitPem(await readFile(file, 'utf8'))
const kept = process.argv.includes('--drop-old') ? keys.slice(0, 1) : [generateSigningKey(), ...keys]
await writeFile(`${file}.new`, kept.map((key) => key.trim()).join('\n'), { mode: 0o600 })
await rename(`${file}.new`, file)
process.stdout.write(`${file} holds ${kept.length} key(s). Restart the service.\n`)

/**
 * Writes the contract as a Postman collection that signs itself in: `npm run export:postman`. `--out FILE` says where
 * (`-` is standard output); `dist/fieldstation.postman_collection.json` unless told otherwise.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { ContractDocument } from './generate/document.ts'
import { postmanCollection } from './postman/collection.ts'
import { runScript } from './usage.ts'

await runScript(async () => {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: 'dist/fieldstation.postman_collection.json' } },
  })
  const contract = JSON.parse(await readFile('generated/openapi.json', 'utf8')) as ContractDocument
  const text = `${JSON.stringify(await postmanCollection(contract), null, 2)}\n`
  if (values.out === '-') {
    process.stdout.write(text)
    return
  }
  await mkdir(dirname(values.out), { recursive: true })
  await writeFile(values.out, text)
  console.log(`${values.out}: ${(Buffer.byteLength(text) / 1e3).toFixed(0)} kB`)
})

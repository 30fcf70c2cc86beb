/**
 * Writes the contract as a Postman collection that signs itself in: `npm run export:postman`. `--out FILE` says where
 * (`-` is standard output); `dist/fieldstation.postman_collection.json` unless told otherwise.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { ContractDocument } from './generate/document.ts'
import { postmanCollection } from './postman/collection.ts'
import { runScript } from './usage.ts'
import { writeOutput } from './write-output.ts'

await runScript(async () => {
  const { values } = parseArgs({
    options: { out: { type: 'string', default: 'dist/fieldstation.postman_collection.json' } },
  })
  const contract = JSON.parse(await readFile('generated/openapi.json', 'utf8')) as ContractDocument
  await writeOutput(values.out, `${JSON.stringify(await postmanCollection(contract), null, 2)}\n`)
})

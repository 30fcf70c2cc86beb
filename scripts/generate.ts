/**
 * Makes `generated/`, and the doc comments of `sdk/`, from `openapi/`: `npm run generate`. With `--check` it writes nothing and
 * fails if anything is out of date.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import openapiTS, { astToString } from 'openapi-typescript'
import { withCodeSamples } from './generate/code-samples.ts'
import { bundleContract } from './generate/document.ts'
import { jobTypeIndex, readJobTypeFiles } from './generate/job-type-files.ts'
import { jobTypesSource, jobTypesTypes } from './generate/job-types.ts'
import { routesSource } from './generate/routes.ts'
import { sdkDocs } from './generate/sdk-docs.ts'
import { schemasSource } from './generate/zod-schemas.ts'

const head = '// Generated from openapi/ by `npm run generate`. Do not edit.\n\n'
const isCheck = process.argv.includes('--check')

const jobTypes = readJobTypeFiles()
settle(jobTypeIndex(jobTypes))
const document = bundleContract()
// openapi-typescript changes what it is given.
const types = astToString(await openapiTS(structuredClone(document) as never, { defaultNonNullable: false }))

settle({
  'generated/openapi.json': `${JSON.stringify(withCodeSamples(document), null, 2)}\n`,
  'generated/types.ts': pretty(head + types + jobTypesTypes(jobTypes)),
  'generated/schemas.ts': pretty(head + schemasSource(document)),
  'generated/routes.ts': pretty(head + routesSource(document)),
  'generated/job-types.ts': pretty(head + jobTypesSource(document, jobTypes)),
  ...sdkDocs(document),
})

/** Brings files up to date or, when checking, complains of those that are not. */
function settle(files: Record<string, string>) {
  const stale = Object.entries(files).filter(([file, content]) => read(file) !== content)
  if (isCheck && stale.length > 0)
    throw new Error(`Out of date: ${stale.map(([file]) => file).join(', ')}. Run npm run generate.`)
  for (const [file, content] of stale) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

function pretty(source: string): string {
  const biome = ['node_modules/@biomejs/biome/bin/biome', 'format', '--stdin-file-path=scripts/generated.ts']
  return execFileSync(process.execPath, biome, { input: source, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

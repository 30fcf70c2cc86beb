/**
 * Bundles the service for AWS Lambda: `npm run build:lambda`. What is in `dist/lambda` afterwards, zipped, is the function's code. With
 * `--sourcemap` it has maps, too.
 */
import { rmSync } from 'node:fs'
import { buildLambda } from './lambda/build.ts'

const outdir = 'dist/lambda'
rmSync(outdir, { recursive: true, force: true })
const functions = await buildLambda({ outdir, sourcemap: process.argv.includes('--sourcemap') })
const kb = (bytes: number) => `${(bytes / 1000).toFixed(0)} KB`
for (const { file, bytes, gzippedBytes } of Object.values(functions))
  process.stdout.write(`${file.padEnd(32)} ${kb(bytes).padStart(8)}   ${kb(gzippedBytes).padStart(7)} gzipped\n`)

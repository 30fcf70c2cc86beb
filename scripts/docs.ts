/**
 * Writes the documentation as one page that needs nothing else, the same that the service has at `/docs`: `npm run docs`.
 * `--out FILE` says where (`-` is standard output); `dist/docs.html` unless told otherwise.
 */
import { parseArgs } from 'node:util'
import { makeDocsPage } from '../src/http/docs.ts'
import { runScript } from './usage.ts'
import { writeOutput } from './write-output.ts'

await runScript(async () => {
  const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist/docs.html' } } })
  const { html } = await makeDocsPage()
  await writeOutput(values.out, html)
})

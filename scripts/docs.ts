/**
 * Writes the documentation as one page that needs nothing else, the same that the service has at `/docs`: `npm run docs`.
 * `--out FILE` says where; `dist/docs.html` unless told otherwise.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { makeDocsPage } from '../src/http/docs.ts'

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist/docs.html' } } })

const { html } = await makeDocsPage()
await mkdir(dirname(values.out), { recursive: true })
await writeFile(values.out, html)
console.log(`${values.out}: ${(Buffer.byteLength(html) / 1e6).toFixed(1)} MB`)

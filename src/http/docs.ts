import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { MiddlewareHandler } from 'hono'
import { contractDocument } from '../contract-document.ts'
import { kept } from '../kept.ts'
import { type Encodings, encodingsOf, negotiated } from './compression.ts'
import { redocOptions } from './docs-options.ts'

/** The documentation: one page that asks nobody for anything, in a file as well as from the service. */
export interface DocsPage {
  html: string
  /** The Content-Security-Policy to send it with: run these very scripts, style as Redoc does, search in a worker, and nothing else. */
  policy: string
  /** Weak: it is the same in whatever encoding it comes. */
  etag: string
  encodings: Encodings
}

export type Docs = () => Promise<DocsPage>

/** Redoc's script. */
export type ReadRedoc = () => Promise<string>

/** Redoc's script as its package has it. */
export const redocOfPackage: ReadRedoc = () =>
  readFile(createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js'), 'utf8')

/** Makes the page of Redoc's script and the contract. */
export async function makeDocsPage(readRedoc: ReadRedoc = redocOfPackage): Promise<DocsPage> {
  const scripts = [inlineScript(selfContained(await readRedoc())), startScript]
  const hashes = scripts.map((script) => `'sha256-${sha256(script)}'`).join(' ')
  const policy =
    `default-src 'none'; script-src ${hashes}; style-src 'unsafe-inline'; img-src data:; worker-src blob:; ` +
    "base-uri 'none'; form-action 'none'"
  const html = pageOf(await contractDocument(), scripts, policy)
  const etag = `W/"${sha256(html)}"`
  return { html, policy: `${policy}; frame-ancestors 'none'`, etag, encodings: encodingsOf(html) }
}

/** The page of the service, made when somebody first asks for it. */
export const documentation = (readRedoc?: ReadRedoc): Docs => kept(() => makeDocsPage(readRedoc))

/** Sends the page compressed to whoever takes it so. The handler before it knows of the page alone. */
export const compressedDocs =
  (docs: Docs): MiddlewareHandler =>
  async (c, next) => {
    await next()
    const encoding = negotiated(c)
    if (!encoding || c.res.status !== 200) return
    c.header('content-encoding', encoding)
    c.res = new Response(await (await docs()).encodings[encoding](), c.res)
  }

const startScript = `
Redoc.init(
  JSON.parse(document.getElementById('contract').textContent),
  ${inlineScript(JSON.stringify(redocOptions))},
  document.getElementById('docs'),
)
`

/** The policy stands in the page too, so that a copy of it that somebody keeps asks nobody either. */
const pageOf = (contract: { info: { title: string } }, [redoc, start]: string[], policy: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="description" content="How to use the ${contract.info.title}">
<title>${contract.info.title}</title>
<link rel="icon" href="data:,">
<style>body { margin: 0 }</style>
</head>
<body>
<noscript>
<p>This page is drawn by JavaScript, which your browser does not run. The contract that it shows is at <a href="/openapi.json">/openapi.json</a>.</p>
</noscript>
<div id="docs"></div>
<script type="application/json" id="contract">${inlineScript(JSON.stringify(contract))}</script>
<script>${redoc}</script>
<script>${start}</script>
</body>
</html>
`

/** What would end a script element, or keep it from ending, is written otherwise. Means the same in the strings of JSON and of scripts. */
export function inlineScript(source: string): string {
  return source.replaceAll(/<(?=!--|\/script)/gi, '\\u003c')
}

/** Redoc signs its pages with a picture from its own host, and tells debuggers of a source map. Without the picture it signs in words. */
function selfContained(redoc: string): string {
  const logo = 'https://cdn.redoc.ly/redoc/logo-mini.svg'
  if (!redoc.includes(logo))
    throw new Error('This Redoc has no logo, or has it elsewhere: see what its page would fetch.')
  return redoc.replaceAll(logo, 'data:,').replace(/^\/\/# sourceMappingURL=.*$/m, '')
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64')

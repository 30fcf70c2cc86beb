import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The documentation page. All that it needs comes from this host: Redoc's script, and the contract. */
export const docsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fieldstation API</title>
<style>body { margin: 0 }</style>
</head>
<body>
<redoc spec-url="/openapi.json" disable-google-font="true" hide-download-button="false"></redoc>
<script src="/docs/redoc.js"></script>
</body>
</html>
`

/** What the page may do: run our script, style itself as Redoc does, and nothing that leaves this host. */
export const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

let script: Buffer<ArrayBuffer> | undefined

/** Redoc, from its package. Read when somebody first asks for it. */
export function redocScript(): Buffer<ArrayBuffer> {
  script ??= readFileSync(createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js'))
  return script
}

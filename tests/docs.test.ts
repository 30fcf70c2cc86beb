import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import contract from '../generated/openapi.json' with { type: 'json' }
import { documentation, inlineScript, makeDocsPage, redocOfPackage } from '../src/http/docs.ts'
import { startHttpServer } from '../src/main/http-server.ts'
import { operations } from './contract/contract.ts'
import { hasBrowser, startBrowser } from './support/browser.ts'
import { startTestService } from './support/service.ts'

const service = await startTestService()
const server = await startHttpServer({ fetch: service.fetch, host: '127.0.0.1', port: 0 })
afterAll(() => server.stop())

const { html, etag } = await makeDocsPage()
const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script]) => script!)
const hashOf = (script: string) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`

describe('getDocs', () => {
  test('may run its own scripts, and reach nobody', async () => {
    const { status, headers } = await service.send('/docs')

    expect(status).toBe(200)
    expect(scripts).toHaveLength(2)
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; script-src ${scripts.map(hashOf).join(' ')}; style-src 'unsafe-inline'; img-src data:; ` +
        "worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
  })

  test.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
    ['identity', (bytes: Buffer) => bytes],
  ])('is sent as %s to who takes that', async (encoding, decode) => {
    const response = await service.send('/docs', { headers: { 'accept-encoding': encoding } })

    const bytes = Buffer.from(await response.arrayBuffer())
    expect(response.headers.get('content-encoding') ?? 'identity').toBe(encoding)
    expect(response.headers.get('content-type')).toBe('text/html')
    expect(response.headers.get('vary')).toBe('accept-encoding')
    expect(decode(bytes).toString() === html).toBe(true)
    if (encoding !== 'identity') expect(bytes.length).toBeLessThan(html.length / 3)
  })

  test('is compressed once', async () => {
    const { encodings } = await makeDocsPage()

    expect(encodings.br()).toBe(encodings.br())
    expect(encodings.gzip()).toBe(encodings.gzip())
  })

  test.each([
    ['it', etag],
    ['it, and a strong name', etag.replace('W/', '')],
    ['one of several', `"other", ${etag}`],
    ['anything', '*'],
  ])('is not sent again to who has %s', async (_, known) => {
    const { status, headers, body } = await service.send('/docs', { headers: { 'if-none-match': known } })

    const policy = (await service.send('/docs')).headers.get('content-security-policy')
    expect([status, body]).toEqual([304, null])
    expect([headers.get('etag'), headers.get('cache-control')]).toEqual([etag, 'no-cache'])
    expect(headers.get('vary')).toBe('accept-encoding')
    // A browser takes these headers for the page that it has.
    expect(headers.get('content-security-policy')).toBe(policy)
  })

  test('is sent to who has another', async () => {
    const { status, headers } = await service.send('/docs', { headers: { 'if-none-match': 'W/"other"' } })

    expect([status, headers.get('etag'), headers.get('cache-control')]).toEqual([200, etag, 'no-cache'])
  })

  test('says the same to HEAD, without the page', async () => {
    const ask = (method: string) => fetch(`${server.url}/docs`, { method, headers: { 'accept-encoding': 'br' } })
    const told = ({ headers }: Response) =>
      ['etag', 'cache-control', 'content-security-policy', 'content-type', 'vary'].map((name) => headers.get(name))

    const [head, got] = [await ask('HEAD'), await ask('GET')]

    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(told(head)).toEqual(told(got))
    expect((await got.text()) === html).toBe(true)
  })

  test('keeps its headers to itself where it refuses', async () => {
    const { status, headers } = await service.send('/docs?unheardOf=1')

    expect([status, headers.get('etag'), headers.get('cache-control')]).toEqual([400, null, 'no-store'])
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
  })

  test('is tried again after a failure', async () => {
    let isBroken = true
    const docs = documentation(async () => {
      if (isBroken) throw new Error('no such file')
      return redocOfPackage()
    })

    await expect(docs()).rejects.toThrow('no such file')
    isBroken = false

    expect((await docs()).etag).toBe(etag)
    expect(docs()).toBe(docs())
  })
})

describe('the page', () => {
  test('carries the whole contract', () => {
    const [, json] = /<script type="application\/json" id="contract">(.*)<\/script>/.exec(html)!

    expect(JSON.parse(json!)).toEqual(contract)
  })

  test.each(['</script>', '</SCRIPT >', '<!-- <script>', '<!--'])('is not broken by %s', (nasty) => {
    const json = inlineScript(JSON.stringify({ [nasty]: nasty }))

    expect(json).not.toMatch(/<!--|<\/script/i)
    expect(JSON.parse(json)).toEqual({ [nasty]: nasty })
  })

  test('escapes the script that it is given', async () => {
    const redoc = '"https://cdn.redoc.ly/redoc/logo-mini.svg"; globalThis.said = "</script><!--"'

    const page = await makeDocsPage(async () => redoc)

    expect(page.html.match(/<\/script/gi)).toHaveLength(3)
    expect(page.html).not.toContain('<!--')
  })

  test('is not made of a Redoc that may fetch something unknown', async () => {
    await expect(makeDocsPage(async () => 'another Redoc')).rejects.toThrow('see what its page would fetch')
  })
})

const folder = mkdtempSync(join(tmpdir(), 'fieldstation-docs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'deep', 'docs.html')
await promisify(execFile)(process.execPath, ['scripts/docs.ts', '--out', file])

describe('npm run docs', () => {
  test('writes the page that the service has', () => {
    expect(readFileSync(file, 'utf8') === html).toBe(true)
  })
})

const browser = hasBrowser ? await startBrowser() : undefined

/** A page, and what it asked for and complained of. */
interface Witness {
  page: Page
  requests: string[]
  complaints: string[]
}

const sectionOf = (page: Page, operationId: string) => page.locator(`[id$="/operation/${operationId}"]`)

/** The page, drawn, in a context of its own. */
async function open(url: string, options: BrowserContextOptions = {}): Promise<Witness> {
  const context = await browser!.newContext({ viewport: { width: 1400, height: 1000 }, ...options })
  const page = await context.newPage()
  const witness: Witness = { page, requests: [], complaints: [] }
  // A blob is the page's own worker.
  page.on('request', (request) => request.url().startsWith('blob:') || witness.requests.push(request.url()))
  page.on('console', (message) => witness.complaints.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => witness.complaints.push(String(error)))
  await page.goto(url)
  if (options.javaScriptEnabled !== false) await sectionOf(page, 'getReadiness').waitFor()
  return witness
}

const docs = `${server.url}/docs`
const places = [
  ['/docs', docs],
  ['the file', pathToFileURL(file).href],
] as const

describe.skipIf(!hasBrowser)(`in a browser${hasBrowser ? '' : ' (skipped: Chromium is missing)'}`, () => {
  describe.each(places)('%s', { timeout: 60_000 }, (_, url) => {
    let page: Page
    let witness: Witness
    beforeAll(async () => {
      witness = await open(url)
      page = witness.page
    })
    afterEach(() => {
      expect(witness).toMatchObject({ requests: [url], complaints: [] })
    })
    afterAll(() => page.context().close())

    test('shows every operation with its samples', async () => {
      const sections = await page
        .locator('[id*="/operation/"]')
        .evaluateAll((all) =>
          all.map(({ id, textContent }) => ({ operationId: id.split('/').at(-1)!, text: textContent ?? '' })),
        )

      expect(sections.map(({ operationId }) => operationId)).toEqual(operations.map(({ operationId }) => operationId))
      for (const { operationId, text } of sections) {
        const { path, summary, 'x-sdk': sdk } = operations.find((one) => one.operationId === operationId)!
        expect(text).toContain(summary)
        expect(text).toContain(path)
        expect(text).toContain('curl')
        if (sdk) expect(text).toContain(`.${String(sdk).split('.')[1]}(`)
      }
    })

    test('shows a sample in one language after the other', async () => {
      const section = sectionOf(page, 'createJob')
      const sdk = section.getByText('client.jobs.create(')
      const curl = section.getByText('curl http://127.0.0.1:3000/api/jobs')

      expect([await sdk.isVisible(), await curl.isVisible()]).toEqual([true, false])
      await section.getByRole('tab', { name: 'curl' }).click()

      await curl.waitFor()
      expect(await sdk.isVisible()).toBe(false)
    })

    test('offers every type of job, and shows what it takes', async () => {
      const section = sectionOf(page, 'createJob')
      const types = section.locator('select', { has: page.locator('option[value="TEST"]') }).first()

      await types.selectOption('TEST')

      await section.getByText('sleepSeconds').first().waitFor()
      expect((await types.locator('option').allTextContents()).sort()).toEqual(
        [...contract.components.schemas.JobType.enum].sort(),
      )
    })

    test('finds what one looks for', async () => {
      await page.getByRole('textbox', { name: 'Search' }).fill('heartbeat')
      await page.locator('[data-role="search:results"]').getByText('Keep an assignment').click()

      await page.waitForURL(/#tag\/Worker\/operation\/heartbeat$/)
    })

    if (url === docs)
      test('is the same after asking whether it is', async () => {
        const line = service.log.lines.length
        witness.requests = []

        await page.reload()
        await sectionOf(page, 'getReadiness').waitFor()

        const [asked] = service.log.lines.slice(line).filter(({ message }) => message === 'request')
        expect(asked!.fields).toMatchObject({ path: '/docs', status: 304 })
      })
  })

  test('fits a phone', { timeout: 60_000 }, async () => {
    const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
    const { page, complaints } = await open(docs, phone)
    onTestFinished(() => page.context().close())

    await sectionOf(page, 'replacePolygon').scrollIntoViewIfNeeded()

    const width = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth))
    expect(width).toBe(360)
    expect(complaints).toEqual([])
  })

  test('says where to look without JavaScript', async () => {
    const { page } = await open(docs, { javaScriptEnabled: false })
    onTestFinished(() => page.context().close())

    expect(await page.locator('body').innerText()).toContain('The contract that it shows is at /openapi.json')
  })
})

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { build } from 'tsdown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const sdk = join(root, 'sdk')

const importsOf = (path: string) =>
  [...readFileSync(path, 'utf8').matchAll(/^(?:import|export)[^'\n]*(?:\n[^'\n]*)*?from '([^']+)'/gm)].map(
    ([, from]) => from!,
  )

const sources = (directory: string) =>
  readdirSync(join(sdk, directory)).filter((name) => name.endsWith('.ts') && name !== 'tsdown.config.ts')

async function bundle(input: string) {
  const built = await rolldown({ input, platform: 'browser', logLevel: 'silent' })
  const { output } = await built.generate({ minify: true, format: 'esm' })
  await built.close()
  return {
    code: output.map((part) => ('code' in part ? part.code : '')).join(''),
    imports: output.flatMap((part) => ('imports' in part ? part.imports : [])),
  }
}

describe('the client', () => {
  test('is under 12 KB gzipped, with all that it needs, and asks for nothing of Node', async () => {
    const { code, imports } = await bundle(join(sdk, 'index.ts'))
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(12_000)
    expect(imports).toEqual([])
    expect(code).not.toMatch(/\bnode:|\bBuffer\b|\brequire\(/)
  })

  test('can be left out where only an error is used', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fieldstation-shake-'))
    const entry = join(directory, 'entry.ts')
    writeFileSync(entry, `import { ApiError } from '${join(sdk, 'index.ts')}'\nconsole.log(ApiError)\n`)
    const { code } = await bundle(entry)
    rmSync(directory, { recursive: true })
    expect(code.length).toBeLessThan(3_000)
  })

  test.each(sources('.').filter((name) => name !== 'node.ts'))('%s imports only what a browser has', (name) => {
    const allowed = /^(\.\/(?!node)[\w-]+\.ts|\.\.\/generated\/types\.ts|openapi-fetch|eventsource-parser)$/
    for (const from of importsOf(join(sdk, name))) expect(from).toMatch(allowed)
  })

  test.each(sources('node'))('node/%s adds only Node', (name) => {
    for (const from of importsOf(join(sdk, 'node', name)))
      expect(from).toMatch(/^(\.\/[\w-]+\.ts|\.\.\/[\w-]+\.ts|node:[\w/]+)$/)
  })
})

describe('the package', () => {
  let directory: string
  let installed: string

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'fieldstation-package-'))
    const modules = join(directory, 'node_modules')
    installed = join(modules, '@fieldstation', 'sdk')
    await build({
      cwd: sdk,
      config: join(sdk, 'tsdown.config.ts'),
      outDir: join(installed, 'dist'),
      logLevel: 'silent',
    })
    for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'])
      cpSync(join(sdk, name), join(installed, name))
    for (const name of [
      'openapi-fetch',
      'openapi-typescript-helpers',
      'eventsource-parser',
      '@types/node',
      'undici-types',
    ]) {
      mkdirSync(join(modules, name, '..'), { recursive: true })
      symlinkSync(join(root, 'node_modules', name), join(modules, name))
    }
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  }, 120_000)

  afterAll(() => rmSync(directory, { recursive: true }))

  const check = (source: string, ...options: string[]) => {
    const file = join(directory, 'consumer.ts')
    writeFileSync(file, source)
    const strict = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2022', ...options]
    const { stdout } = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...strict, file], {
      cwd: directory,
      encoding: 'utf8',
    })
    expect(stdout).toBe('')
  }

  const browser = `
    import { ApiError, createClient, type JobInput } from '@fieldstation/sdk'
    const client = createClient({ baseUrl: 'https://reef.example', apiKey: undefined })
    const input: JobInput<'TEST'> = { id: 1 }
    const { jobId } = await client.jobs.create({ type: 'TEST', inputPayload: input })
    const job = await client.jobs.wait(jobId, { throwOnFailure: true })
    const id: number = job.resultPayload.id
    console.log(id, ApiError, await client.raw.GET('/livez'))
  `
  const worker = `
    import { createWorker } from '@fieldstation/sdk/node'
    await createWorker({ baseUrl: '', apiKey: '', handlers: { TEST: async ({ input }) => ({ id: input.id }) } }).run()
  `

  test.each([
    [
      'for a browser, by a bundler',
      browser,
      ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom,dom.iterable'],
    ],
    ['for Node', browser + worker, ['--module', 'nodenext', '--lib', 'es2022', '--types', 'node']],
  ])('type-checks under strict TypeScript %s', { timeout: 120_000 }, (_, source, options) => check(source, ...options))

  test('loads, both parts with the same errors', () => {
    const file = join(directory, 'run.js')
    writeFileSync(
      file,
      `import { ApiError, FieldstationError, createClient } from '@fieldstation/sdk'
       import { createWorker, RetryableError } from '@fieldstation/sdk/node'
       const client = createClient({ baseUrl: 'http://x.example', fetch: () => Response.json({ status: 'ok' }) })
       const { status } = await client.system.live()
       console.log(status, new RetryableError('x') instanceof FieldstationError, typeof createWorker, ApiError.name)`,
    )
    expect(execFileSync(process.execPath, [file], { encoding: 'utf8' })).toBe('ok true function ApiError\n')
  })

  test('holds what it declares', () => {
    const { exports, dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    const files = ['.', './node'].flatMap((entry) => Object.values<string>(exports[entry]))
    for (const file of files) expect(readFileSync(join(installed, file), 'utf8')).not.toMatch(/generated\/types/)
    const imported = readdirSync(join(installed, 'dist')).flatMap((name) =>
      [...readFileSync(join(installed, 'dist', name), 'utf8').matchAll(/from "([^".]+)"/g)].map(([, from]) => from!),
    )
    const foreign = new Set(imported.filter((from) => !from.startsWith('node:')))
    expect([...foreign].sort()).toEqual(Object.keys(dependencies).sort())
  })
})

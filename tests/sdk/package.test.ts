import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { publint } from 'publint'
import { rolldown } from 'rolldown'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/processes.ts'
import { type Consumer, installPacked, packSdk } from './support/packed.ts'

const run = promisify(execFile)

describe('the sources', () => {
  const importsOf = (path: string) =>
    [...readFileSync(path, 'utf8').matchAll(/^(?:import|export)[^'\n]*(?:\n[^'\n]*)*?from '([^']+)'/gm)].map(
      ([, from]) => from!,
    )
  const sources = (folder: string) =>
    readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'tsdown.config.ts')

  test.each(sources('sdk').filter((name) => name !== 'node.ts'))('%s imports only what a browser has', (name) => {
    const allowed = /^(\.\/(?!node)[\w-]+\.ts|\.\.\/generated\/types\.ts|openapi-fetch)$/
    for (const from of importsOf(join('sdk', name))) expect(from).toMatch(allowed)
  })

  test.each(sources('sdk/node'))('node/%s adds only Node', (name) => {
    for (const from of importsOf(join('sdk/node', name)))
      expect(from).toMatch(/^(\.\/[\w-]+\.ts|\.\.\/[\w-]+\.ts|node:[\w/]+)$/)
  })
})

let tarball: string
let consumer: Consumer
/** Where the package is in the project that installed it. */
const installed = (...path: string[]) => join(consumer.folder, 'node_modules/@fieldstation/sdk', ...path)

beforeAll(async () => {
  const folder = await temporaryFolder()
  tarball = await packSdk(folder)
  consumer = await installPacked(folder, tarball)
}, 120_000)

describe('the tarball', () => {
  test('has nothing but what is built, and what is said of it', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball])
    expect(stdout.trim().split('\n').sort()).toEqual(
      [
        ...['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'],
        ...['dist/index.js', 'dist/index.d.ts', 'dist/node.js', 'dist/node.d.ts'],
        // What the two have in common.
        ...['dist/client.js', 'dist/errors.d.ts'],
      ]
        .map((path) => `package/${path}`)
        .sort(),
    )
  })

  test('is what publint asks for', async () => {
    const { buffer } = await readFile(tarball)
    const { messages } = await publint({ pack: { tarball: buffer as ArrayBuffer }, strict: true })
    expect(messages).toEqual([])
  })

  test('has types that agree with what runs, for all who can import it', async () => {
    const attw = resolve('node_modules/@arethetypeswrong/cli/dist/index.js')
    const { stdout } = await run(process.execPath, [attw, tarball, '--profile', 'esm-only', '--no-emoji'])
    expect(stdout).toContain('"@fieldstation/sdk/node"')
  })
})

describe('the package', () => {
  beforeEach(({ skip }) => {
    if (consumer.missing) skip(consumer.missing)
  })

  const manifest = () => JSON.parse(readFileSync(installed('package.json'), 'utf8'))
  const built = () => readdirSync(installed('dist')).map((name) => readFileSync(installed('dist', name), 'utf8'))

  test('says where it comes from, in a way that its publication can prove', () => {
    expect(manifest()).toMatchObject({
      name: '@fieldstation/sdk',
      license: 'MIT',
      repository: { type: 'git', url: expect.stringMatching(/^git\+https:\/\/.*\.git$/), directory: 'sdk' },
      publishConfig: { access: 'public', provenance: true },
    })
    expect(readFileSync(installed('LICENSE'), 'utf8')).toBe(readFileSync('LICENSE', 'utf8'))
  })

  test('keeps a changelog that knows the version', () => {
    const headings = [...readFileSync(installed('CHANGELOG.md'), 'utf8').matchAll(/^## (?:\[(.+?)\]|(.+))/gm)].map(
      ([, version, plain]) => version ?? plain!,
    )
    expect(headings.some((heading) => heading === 'Unreleased' || heading.startsWith(manifest().version))).toBe(true)
  })

  test('stands on its own: no sources, no maps, no contract beside it', () => {
    for (const text of built()) expect(text).not.toMatch(/sourceMappingURL|generated\/types|\.ts['"]/)
  })

  test('asks for what it imports, and for nothing else', () => {
    const imported = built().flatMap((text) => [...text.matchAll(/from "([^".]+)"/g)].map(([, from]) => from!))
    const foreign = new Set(imported.filter((from) => !from.startsWith('node:')))
    expect([...foreign].sort()).toEqual(Object.keys(manifest().dependencies).sort())
  })

  test('loads, both parts with the same errors', async () => {
    await writeFile(
      join(consumer.folder, 'load.js'),
      `import { ApiError, FieldstationError, createClient } from '@fieldstation/sdk'
       import { createWorker, RetryableError } from '@fieldstation/sdk/node'
       const client = createClient({ baseUrl: 'http://x.example', fetch: () => Response.json({ status: 'ok' }) })
       const { status } = await client.system.live()
       console.log(status, new RetryableError('x') instanceof FieldstationError, typeof createWorker, ApiError.name)`,
    )
    const { stdout } = await run(process.execPath, ['load.js'], { cwd: consumer.folder })
    expect(stdout).toBe('ok true function ApiError\n')
  })

  const client = `
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
  const tsc = resolve('node_modules/typescript/bin/tsc')
  // Not the package's to bring: who writes for Node has them.
  const nodeTypes = ['--types', 'node', '--typeRoots', resolve('node_modules/@types')]

  test.for([
    [
      'for a browser, by a bundler',
      'browser.ts',
      client,
      ['--module', 'esnext', '--moduleResolution', 'bundler', '--lib', 'es2022,dom,dom.iterable'],
    ],
    ['for Node', 'node.ts', client + worker, ['--module', 'nodenext', '--lib', 'es2022', ...nodeTypes]],
  ] as const)('type-checks under strict TypeScript %s', { timeout: 120_000 }, async ([, file, source, options]) => {
    await writeFile(join(consumer.folder, file), source)
    // TypeScript's own library is not ours to check, all others are.
    const strict = [
      '--strict',
      '--noEmit',
      '--skipDefaultLibCheck',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2022',
    ]
    const faults = await run(process.execPath, [tsc, ...strict, ...options, file], {
      cwd: consumer.folder,
    }).catch(({ stdout }) => ({ stdout }))
    expect(faults.stdout).toBe('')
  })

  test.for([
    ['esbuild', bundleByEsbuild],
    ['rolldown', bundleByRolldown],
  ] as const)('costs a page of %s under 12 KB, and an error alone far less', async ([name, bundle]) => {
    const sizeOf = (code: string) => gzipSync(code, { level: 9 }).length
    const bundled = async (what: string) => {
      const entry = join(consumer.folder, `${name}-${what}.js`)
      await writeFile(entry, `import { ${what} } from '@fieldstation/sdk'\nconsole.log(${what})\n`)
      return bundle(entry)
    }

    const [whole, part] = [await bundled('createClient'), await bundled('ApiError')]

    expect(sizeOf(whole)).toBeLessThan(12_000)
    expect(whole).not.toMatch(/\bnode:|\bBuffer\b|\brequire\(|\bfrom"/)
    expect(part.length).toBeLessThan(3_000)
  })
})

async function bundleByEsbuild(entry: string): Promise<string> {
  const options = { bundle: true, minify: true, format: 'esm', platform: 'browser', write: false } as const
  const { outputFiles } = await build({ ...options, entryPoints: [entry], logLevel: 'silent' })
  return outputFiles.map(({ text }) => text).join('')
}

async function bundleByRolldown(entry: string): Promise<string> {
  const bundle = await rolldown({ input: entry, platform: 'browser', logLevel: 'silent' })
  const { output } = await bundle.generate({ minify: true, format: 'esm' })
  await bundle.close()
  return output.map((part) => ('code' in part ? part.code : '')).join('')
}

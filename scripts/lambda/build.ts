import { copyFile, cp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile, type Plugin } from 'esbuild'
import { leftOut } from './left-out.ts'

export interface LambdaBuildOptions {
  /** Where the functions go: all that they need at run time is there afterwards. */
  outdir: string
  /** Maps beside the bundles, for `NODE_OPTIONS=--enable-source-maps`. */
  sourcemap?: boolean
}

/** One function's code: a file that is loaded as it starts, and those that it loads when it needs them. */
export interface LambdaFunction {
  file: string
  bytes: number
  gzippedBytes: number
  /** What went into it. */
  metafile: Metafile
}

export interface LambdaBuild {
  service: LambdaFunction
  schedule: LambdaFunction
  authorizer: LambdaFunction
}

/** Bundled ES modules have no `require`, and packages of an older make ask for Node's own modules by it. */
const requireForOlderPackages =
  "import { createRequire as fieldstationRequire } from 'node:module'; const require = fieldstationRequire(import.meta.url);"

const wordList = '@zxcvbn-ts/language-common'

/** Half as large as all our code, and read when somebody chooses a password: data beside the code, as the documentation's is. */
const wordListBeside: Plugin = {
  name: 'common passwords beside the bundle',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^${wordList}$`) }, () => ({ path: './common-passwords.mjs', external: true }))
  },
}

const bundleWordList = (outdir: string) =>
  build({
    stdin: { contents: `export { dictionary } from '${wordList}'`, resolveDir: '.' },
    outfile: join(outdir, 'common-passwords.mjs'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
  })

/** Bundles the functions, each by itself, with what they read at run time beside them. */
export async function buildLambda(options: LambdaBuildOptions): Promise<LambdaBuild> {
  const service = await bundle('index', 'src/main/lambda.ts', options)
  const schedule = await bundle('schedule', 'src/main/lambda-schedule.ts', options)
  const authorizer = await bundle('authorizer', 'src/main/lambda-authorizer.ts', options)
  const redoc = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js')
  await copyFile(redoc, join(options.outdir, basename(redoc)))
  await cp('src/mail/templates', join(options.outdir, 'templates'), { recursive: true })
  await bundleWordList(options.outdir)
  return { service, schedule, authorizer }
}

async function bundle(
  name: string,
  source: string,
  { outdir, sourcemap = false }: LambdaBuildOptions,
): Promise<LambdaFunction> {
  const { metafile } = await build({
    entryPoints: { [name]: source },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    chunkNames: `${name}-[name]-[hash]`,
    minify: true,
    sourcemap,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // Of ES modules only what is used goes in: the AWS client is half as large.
    mainFields: ['module', 'main'],
    banner: { js: requireForOlderPackages },
    // A licence that a source carries goes into a file beside.
    legalComments: 'external',
    plugins: [...leftOut, wordListBeside],
    metafile: true,
    logLevel: 'warning',
  })
  const files = Object.keys(metafile.outputs).filter((file) => file.endsWith('.mjs'))
  const contents = await Promise.all(files.map((file) => readFile(file)))
  const sum = (sizes: number[]) => sizes.reduce((total, size) => total + size, 0)
  return {
    file: join(outdir, `${name}.mjs`),
    bytes: sum(contents.map((content) => content.length)),
    gzippedBytes: sum(contents.map((content) => gzipSync(content, { level: 9 }).length)),
    metafile,
  }
}

import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Plugin } from 'esbuild'
import contract from '../../generated/openapi.json' with { type: 'json' }
import type { ContractDocument } from '../generate/document.ts'
import { routesSource } from '../generate/routes.ts'
import { schemasSource } from '../generate/zod-schemas.ts'
import { withoutWords } from './without-words.ts'

/** Other contents for the modules at these paths. */
const replace = (name: string, filter: RegExp, contents: string): Plugin => ({
  name,
  setup({ onLoad }) {
    onLoad({ filter }, () => ({ contents }))
  },
})

/** Stands for a function that nobody calls. Whoever does is told where it went. */
const gone = (what: string) =>
  `function () { throw new Error('Bundled without ${what}: see scripts/lambda/left-out.ts.') }`

/** zod takes along its messages in fifty languages, three quarters of what it is. The service speaks English. */
const englishOnly: Plugin = {
  name: 'zod in English only',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) =>
      importer.includes('/node_modules/zod/') ? { path: 'none', namespace: 'locales' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'locales' }, () => ({ contents: 'export {}' }))
  },
}

/** zod compiles schemas ahead of time, and makes some of JSON Schema, for those who ask for it. */
const schemasByHand: Plugin[] = [
  replace(
    'no compiler of schemas',
    /\/zod\/v4\/core\/compile\.js$/,
    `
    export const compile = ${gone('the compiler of zod')}
    export { compile as INVALID, compile as withParser, compile as compileFn }
    export { compile as ZodCompileAsyncError, compile as ZodCompileUnsupportedError }
    `,
  ),
  replace(
    'no schemas of JSON Schema',
    /\/zod\/v4\/classic\/from-json-schema\.js$/,
    `export const fromJSONSchema = ${gone('the JSON Schema of zod')}`,
  ),
]

/** pino hands lines to workers, if told to. Those of a function go to standard error. */
const noLogWorkers = replace(
  'no workers for the log',
  /\/pino\/lib\/transport\.js$/,
  `module.exports = ${gone('the transports of pino')}`,
)

/** The AWS client names the browser that it runs in, of which it keeps a list. A function is none. */
const noBrowsers = replace('no list of browsers', /\/node_modules\/bowser\//, 'export {}')

/** A function finds its credentials in its environment. The client would bring along a dozen other ways to come by some. */
const credentialsOfTheFunction = replace(
  "AWS credentials from the function's environment",
  /\/@aws-sdk\/credential-provider-node\/dist-\w+\/index\.js$/,
  "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env'",
)

/** Answers of AWS that come as events: `SelectObjectContent` has them, which we ask for nowhere. */
const noEventStreams = replace(
  'no event streams of AWS',
  /\/@smithy\/core\/dist-es\/submodules\/event-streams\/index\.js$/,
  `
  export const resolveEventStreamSerdeConfig = (config) => config
  export const eventStreamSerdeProvider = ${gone('the event streams of AWS')}
  export const EventStreamSerde = eventStreamSerdeProvider
  `,
)

/**
 * The client's table of all that S3 can do. Its keys are constants (`[_h]: …`), and a key may do something as it is made a string of, so
 * none of its entries would be left out. With the keys written out, those that nobody uses are.
 */
const usedPartsOfS3: Plugin = {
  name: 'of S3 what is used',
  setup({ onLoad }) {
    onLoad({ filter: /\/client-s3\/dist-es\/schemas\/schemas_0\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const constants = new Map(
        [...source.matchAll(/^const (_\w+) = (".*");$/gm)].map(([, name, text]) => [name, text] as const),
      )
      const contents = source.replaceAll(/\[(_\w+)\]:/g, (key, name) => {
        const text = constants.get(name)
        return text ? `${text}:` : key
      })
      return { contents }
    })
  },
}

/**
 * What the contract says to its readers (descriptions, examples) is read in the contract. A function's schemas and routes are made by
 * the same generator of the same contract, without it: they judge alike.
 */
const schemasWithoutWords: Plugin = {
  name: 'schemas without words',
  setup({ onLoad }) {
    const document = withoutWords(contract as unknown as ContractDocument)
    const sources = { schemas: schemasSource, routes: routesSource }
    onLoad({ filter: /\/generated\/(schemas|routes)\.ts$/ }, ({ path }) => ({
      contents: sources[basename(path, '.ts') as keyof typeof sources](document),
      loader: 'ts',
    }))
  },
}

/** What makes a document of the schemas. The tests do, to hold it against the contract; the service answers with the contract. */
const noDocumentOfSchemas = replace(
  'no document of the schemas',
  /\/@asteasolutions\/zod-to-openapi\/dist\/index\.mjs$/,
  `
  const none = ${gone('what makes a document of schemas')}
  export { none as OpenApiGeneratorV3, none as OpenApiGeneratorV31, none as getOpenApiMetadata }
  export class OpenAPIRegistry { registerPath() {} }
  export const extendZodWithOpenApi = ({ ZodType }) => { ZodType.prototype.openapi = function () { return this } }
  `,
)

/** Keeps out of the functions what our packages bring along and none of them needs. */
export const leftOut = [
  englishOnly,
  ...schemasByHand,
  noLogWorkers,
  noBrowsers,
  credentialsOfTheFunction,
  noEventStreams,
  usedPartsOfS3,
  schemasWithoutWords,
  noDocumentOfSchemas,
]

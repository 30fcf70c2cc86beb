import { list, type Rule, record, repeated } from './rule.ts'

/** https://docs.aws.amazon.com/apigateway/latest/api/API_ImportRestApi.html */
const largestBytes = 6 * 1024 * 1024
/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
const mostResources = 300
const largestUncompressed = 10 * 1024 * 1024

export const documentRules: Rule[] = [
  {
    name: 'openapi-version',
    *find({ openapi }) {
      if (!/^3\.0\.\d+$/.test(String(openapi)))
        yield { pointer: '/openapi', message: `is ${String(openapi)}, and of OpenAPI 3 only 3.0 is imported` }
    },
  },
  {
    name: 'title',
    *find({ info }) {
      const { title } = record(info)
      if (typeof title !== 'string' || !title) yield { pointer: '/info/title', message: 'names the API and is missing' }
    },
  },
  {
    name: 'size',
    *find(document) {
      const bytes = Buffer.byteLength(JSON.stringify(document))
      if (bytes > largestBytes)
        yield { pointer: '', message: `has ${bytes} bytes, and the import takes ${largestBytes}` }
    },
  },
  {
    name: 'resources',
    *find({ paths }) {
      const count = resourcesOf(Object.keys(record(paths))).size
      if (count > mostResources)
        yield { pointer: '/paths', message: `makes ${count} resources, and an API has ${mostResources}` }
    },
  },
  {
    name: 'binary-media-types',
    *find(document) {
      const pointer = '/x-amazon-apigateway-binary-media-types'
      const types = list(document['x-amazon-apigateway-binary-media-types'])
      for (const type of types) {
        if (!/^([\w.+-]+|\*)\/([\w.+-]+|\*)$/.test(String(type)))
          yield { pointer, message: `has ${JSON.stringify(type)}, which is no media type` }
      }
      for (const type of repeated(types.map(String), (name) => name.toLowerCase()))
        yield { pointer, message: `has ${type} twice` }
    },
  },
  {
    name: 'compression-size',
    *find(document) {
      const size = document['x-amazon-apigateway-minimum-compression-size']
      const isGood = Number.isInteger(size) && Number(size) >= 0 && Number(size) <= largestUncompressed
      if (size !== undefined && !isGood)
        yield {
          pointer: '/x-amazon-apigateway-minimum-compression-size',
          message: `is a number of bytes from 0 to ${largestUncompressed}`,
        }
    },
  },
]

/** Each step of each path is a resource, and so is the root. */
const resourcesOf = (paths: string[]): Set<string> =>
  new Set([
    '',
    ...paths.flatMap((path) => {
      const steps = path.split('/').filter(Boolean)
      return steps.map((_, index) => steps.slice(0, index + 1).join('/'))
    }),
  ])

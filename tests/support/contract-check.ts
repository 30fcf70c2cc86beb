import { Ajv, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import contract from '../../generated/openapi.json' with { type: 'json' }

interface Header {
  $ref?: string
  required?: boolean
}
type Responses = Record<
  string,
  { $ref?: string; headers?: Record<string, Header>; content?: Record<string, { schema: object }> }
>
interface Declared {
  operationId: string
  method: string
  pattern: RegExp
  responses: Responses
}

const ajv = new Ajv({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema({ ...closed(toJsonSchema({ components: contract.components })), $id: 'contract' })

const operations: Declared[] = Object.entries(contract.paths)
  // Static before templated, as the service has it.
  .sort(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
  .flatMap(([path, item]) =>
    Object.entries(item as unknown as Record<string, { operationId: string; responses: Responses }>).map(
      ([method, operation]) => ({
        operationId: operation.operationId,
        method: method.toUpperCase(),
        pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
        responses: operation.responses,
      }),
    ),
  )
const validators = new Map<string, ValidateFunction>()

/** Which operations have answered, and with what: for a look at what the suite leaves out. */
export const answered = new Map<string, Set<number>>()

/** Throws unless the response is one that the contract declares, body and all. */
export async function checkAgainstContract(request: Request, response: Response): Promise<void> {
  const { pathname } = new URL(request.url)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const operation = operations.find((candidate) => candidate.method === method && candidate.pattern.test(pathname))
  if (!operation) return
  const { operationId, responses } = operation
  answered.set(operationId, (answered.get(operationId) ?? new Set()).add(response.status))
  const status = [String(response.status), `${Math.floor(response.status / 100)}XX`].find((key) => key in responses)
  if (!status) throw new Error(`${operationId} answered ${response.status}, which the contract does not declare.`)
  const declared = resolve(responses[status]!)
  const missing = Object.entries(declared.headers ?? {}).flatMap(([name, header]) =>
    headerOf(header).required && !response.headers.has(name) ? [name] : [],
  )
  if (missing.length > 0) throw new Error(`${operationId} ${status}: without ${missing.join(', ')}`)
  const type = response.headers.get('content-type')?.split(';')[0]
  if (!declared.content) {
    if (type) throw new Error(`${operationId} ${status}: a body where the contract has none`)
    return
  }
  const media = declared.content[type ?? '']
  if (!media) throw new Error(`${operationId} ${status}: the contract knows no ${type}`)
  if (!type?.includes('json') || request.method === 'HEAD') return
  const validate = validatorOf(`${operationId} ${status} ${type}`, media.schema)
  const body: unknown = await response.clone().json()
  if (!validate(body))
    throw new Error(`${operationId} ${status}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`)
}

function validatorOf(name: string, schema: object): ValidateFunction {
  const known = validators.get(name)
  if (known) return known
  const text = JSON.stringify(closed(toJsonSchema(schema))).replaceAll('"#/components/', '"contract#/components/')
  const validate = ajv.compile(JSON.parse(text))
  validators.set(name, validate)
  return validate
}

function resolve(response: Responses[string]): Responses[string] {
  if (!response.$ref) return response
  const name = response.$ref.split('/').at(-1) as keyof typeof contract.components.responses
  return contract.components.responses[name] as unknown as Responses[string]
}

function headerOf(header: Header): Header {
  if (!header.$ref) return header
  return contract.components.headers[header.$ref.split('/').at(-1) as keyof typeof contract.components.headers]
}

/** Clients must bear members that they do not know; we must not send any: what the contract does not name may be a secret. */
function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(closed) as T
  if (!schema || typeof schema !== 'object') return schema
  const same = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  if (same.type === 'object' && same.properties && same.additionalProperties === undefined)
    same.additionalProperties = false
  return same as T
}

/** OpenAPI 3.0 differs from JSON Schema in `nullable` and in its boolean exclusive bounds. */
export function toJsonSchema<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(toJsonSchema) as T
  if (!schema || typeof schema !== 'object') return schema
  const {
    nullable,
    exclusiveMinimum,
    exclusiveMaximum,
    discriminator: _,
    example: __,
    ...rest
  } = schema as Record<string, unknown>
  const same = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, toJsonSchema(value)]))
  if (nullable === true) same.type = [same.type, 'null']
  if (exclusiveMinimum === true) {
    same.exclusiveMinimum = same.minimum
    delete same.minimum
  }
  if (exclusiveMaximum === true) {
    same.exclusiveMaximum = same.maximum
    delete same.maximum
  }
  return same as T
}

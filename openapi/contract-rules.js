/** Our own rules for the contract, beside Redocly's. Each is one sentence of the style that the whole API keeps. */

/** A camelCase operationId, one tag, a summary like "List jobs", and a description. */
const operationShape = () => ({
  Operation(operation, { report, location }) {
    const say = (message, key) => report({ message, location: key ? location.child(key) : location })
    if (!/^[a-z][A-Za-z]+$/.test(operation.operationId ?? '')) say('operationId must be camelCase.')
    if (operation.tags?.length !== 1) say('An operation has exactly one tag.')
    if (!/^[A-Z].*[^.]$/.test(operation.summary ?? '')) say('A summary starts with a capital and has no full stop.')
    if (!operation.description?.trim()) say('An operation has a description.')
  },
})

/** The SDK's method for each operation, as `namespace.method`. What is made for people alone has none. */
const sdkMethod = () => {
  const seen = new Map()
  return {
    Operation(operation, { report, location }) {
      const method = operation['x-sdk']
      const isPage = Object.keys(operation.responses?.['200']?.content ?? {}).every((type) => type === 'text/html')
      if (method === undefined && operation.responses?.['200'] && isPage) return
      if (!/^[a-z]\w*\.[a-z]\w*$/.test(method ?? ''))
        report({ message: 'x-sdk names the method of the SDK, such as jobs.create.', location })
      else if (seen.has(method)) report({ message: `${method} is ${seen.get(method)}'s already.`, location })
      seen.set(method, operation.operationId)
    },
  }
}

/** Every response body has an example, its own or its schema's, so that mocks and documentation tell our story. */
const responseExample = () => ({
  Response: {
    MediaType(media, { report, location, resolve }) {
      const schema = media.schema?.$ref ? resolve(media.schema).node : media.schema
      const has = media.example ?? media.examples ?? schema?.example
      if (has === undefined) report({ message: 'A response body has an example.', location })
    },
  },
})

/** Every parameter says by itself what it may hold, so that samples and collections need not make anything up. */
const parameterExample = () => ({
  Parameter(parameter, { report, location, resolve }) {
    const schema = parameter.schema?.$ref ? resolve(parameter.schema).node : parameter.schema
    const told = [parameter.example, schema?.example, schema?.default, schema?.enum, schema?.minimum]
    if (told.every((each) => each === undefined)) report({ message: 'A parameter has an example.', location })
  },
})

/** Whoever calls can count on 4XX, 503 and 5XX, and on problem+json in each of them. */
const sharedErrors = () => ({
  Operation(operation, { report, location, resolve }) {
    for (const status of ['4XX', '503', '5XX'])
      if (!operation.responses?.[status])
        report({ message: `Every operation answers ${status}.`, location: location.child('responses') })
    for (const [status, reference] of Object.entries(operation.responses ?? {})) {
      const response = reference.$ref ? resolve(reference).node : reference
      const isProblem = /^[45]/.test(status) && operation.operationId !== 'getReadiness'
      if (isProblem && !response?.content?.['application/problem+json'])
        report({ message: `${status} must be application/problem+json.`, location: location.child('responses') })
    }
  },
})

/** What has an ETag is not sent again to who has it, and what goes by one may be refused. */
const conditional = () => ({
  Operation(operation, { report, location, key, resolve }) {
    const resolved = (part) => (part?.$ref ? resolve(part).node : part)
    const taken = (operation.parameters ?? []).map((parameter) => resolved(parameter)?.name)
    const ok = resolved(operation.responses?.['200'])
    const isKnown = taken.includes('If-None-Match') && operation.responses['304']
    if (key === 'get' && ok?.headers?.ETag && !isKnown)
      report({ message: 'What has an ETag takes If-None-Match, and answers 304.', location })
    if (taken.includes('If-Match') && !operation.responses['412'])
      report({ message: 'What takes If-Match answers 412.', location: location.child('responses') })
  },
})

/** Each operation says who may call it, in scopes and roles that exist. */
const access = () => {
  let scopes = {}
  const roles = ['USER', 'WORKER', 'ADMIN']
  return {
    Root: { enter: (root) => (scopes = root.components?.securitySchemes?.apiKey?.['x-scopes'] ?? {}) },
    Operation(operation, { report, location }) {
      if (!operation.security) report({ message: 'An operation states its security, if only as [].', location })
      const takesKeys = operation.security?.some((requirement) => 'apiKey' in requirement)
      if (takesKeys && !operation['x-scopes'])
        report({ message: 'An operation that takes API keys names their scopes, if only as [].', location })
      for (const scope of operation['x-scopes'] ?? [])
        if (!(scope in scopes)) report({ message: `The scope ${scope} is not declared.`, location })
      for (const role of operation['x-roles'] ?? [])
        if (!roles.includes(role)) report({ message: `There is no role ${role}.`, location })
    },
  }
}

/** Whatever we accept has bounds (files have theirs by configuration), and named members only: GeoJSON (`x-foreign-members`) and free-form objects say so themselves. */
const boundedInput = () => {
  // A reference is resolved from the file that it stands in.
  const faults = (schema, resolve, from, seen = new Set()) => {
    const found = schema?.$ref ? resolve(schema, from) : undefined
    if (found) return faults(found.node, resolve, found.location?.source.absoluteRef, seen)
    const target = schema
    if (!target || seen.has(target)) return []
    seen.add(target)
    const inner = [
      ...Object.values(target.properties ?? {}),
      ...['items', 'additionalProperties'].map((key) => target[key]).filter((value) => typeof value === 'object'),
      ...(target.oneOf ?? target.anyOf ?? target.allOf ?? []),
    ]
    const own = []
    const isText = target.type === 'string' && !target.enum && !target.pattern
    if (isText && target.maxLength === undefined && !/uuid|date|binary/.test(target.format ?? ''))
      own.push('a string without maxLength')
    if (target.type === 'array' && target.maxItems === undefined) own.push('an array without maxItems')
    if (target.type === 'integer' && (target.minimum === undefined || target.maximum === undefined))
      own.push('an integer without minimum and maximum')
    if (target.type === 'object' && target.additionalProperties === undefined && !target['x-foreign-members'])
      own.push('an object that does not say whether it takes members beyond those it names')
    return [...own, ...inner.flatMap((next) => faults(next, resolve, from, seen))]
  }
  const check = (what, { schema }, { report, location, resolve }) => {
    for (const fault of new Set(faults(schema, resolve, location.source.absoluteRef)))
      report({ message: `The ${what} has ${fault}.`, location })
  }
  return {
    RequestBody: { MediaType: (media, context) => check('request body', media, context) },
    Parameter: (parameter, context) => check('parameter', parameter, context),
  }
}

export default function contractRules() {
  return {
    id: 'fieldstation',
    rules: {
      oas3: {
        'operation-shape': operationShape,
        'sdk-method': sdkMethod,
        'response-example': responseExample,
        'parameter-example': parameterExample,
        'shared-errors': sharedErrors,
        conditional,
        access,
        'bounded-input': boundedInput,
      },
    },
  }
}

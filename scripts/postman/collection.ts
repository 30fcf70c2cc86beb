import { type ContractDocument, dereference, type Operation, operationsOf } from '../generate/document.ts'
import { convertToPostman, type PostmanBody, type PostmanItem, type PostmanRequest } from './convert.ts'
import { documentForPostman } from './document.ts'
import { authOf, personAuth, rememberedVariables, scriptsOf } from './sign-in.ts'

type Values = Record<string, string>

const description = `Made from the contract of Fieldstation. Set \`baseUrl\`, \`email\` and \`password\` among the variables,
and send *Auth / Sign in*: every other request then goes out in that name. What a request makes is remembered (\`jobId\`,
\`polygonId\`, \`noteId\`, \`imageId\`, \`apiKey\`) and used by those after it. The requests of *Worker* use \`apiKey\`, and from
a claim on its \`assignmentToken\`. *Images / Upload an image* asks for a file of yours.`

/** The contract as a Postman collection (format 2.1). The same contract gives the same collection, to the letter. */
export async function postmanCollection(contract: ContractDocument) {
  const folders = await convertToPostman(documentForPostman(contract))
  const operations = operationsOf(contract).map(({ path, method, operation }) => ({
    place: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    operation,
  }))
  const variables = variablesOf(contract)
  const finish = (item: PostmanItem) => {
    const place = `${item.request.method} /${item.request.url.path.join('/')}`
    const found = operations.find((each) => each.place === place)
    if (!found) throw new Error(`${place}: no operation of the contract`)
    return finished(item, found.operation, variables)
  }
  const { title, version } = contract.info as { title: string; version: string }
  return {
    info: {
      name: `${title} ${version}`,
      description,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: personAuth,
    variable: Object.entries(variables.start).map(([key, value]) => ({ key, value, type: 'string' })),
    item: folders.map(({ name, description, item }) => ({ name, description, item: item.map(finish) })),
  }
}

/** What the variables hold at the start, and which examples of the contract they take the place of. */
function variablesOf(contract: ContractDocument): { start: Values; examples: Values } {
  const { email, password } = contract.components.schemas.LoginRequest!.example as Values
  const { refreshToken } = contract.components.schemas.TokenRequest!.example as Values
  const inPaths = operationsOf(contract)
    .flatMap(({ operation }) => operation.parameters ?? [])
    .map((parameter) => dereference(contract, parameter) as { name: string; example?: string })
  const ids = inPaths.filter(({ name, example }) => example && rememberedVariables.includes(name))
  const examples = Object.fromEntries(ids.map(({ name, example }) => [name, example!]))
  const [server] = contract.servers as { url: string }[]
  return {
    start: {
      baseUrl: server!.url,
      email: email!,
      password: password!,
      ...Object.fromEntries(rememberedVariables.map((name) => [name, ''])),
    },
    examples: { ...examples, email: email!, password: password!, refreshToken: refreshToken! },
  }
}

function finished({ name, request, response }: PostmanItem, operation: Operation, { examples }: { examples: Values }) {
  const auth = authOf(operation)
  const event = scriptsOf(operation)
  return {
    name,
    request: { ...wired(request, examples), ...(auth && { auth }) },
    response: response.map(({ id: _drawnByLot, originalRequest, ...rest }) => ({
      ...rest,
      originalRequest: plain(originalRequest),
    })),
    ...(event.length > 0 && { event }),
  }
}

/** The request with variables where the contract has examples. */
function wired(request: PostmanRequest, examples: Values) {
  const { url, header, body, ...rest } = plain(request)
  const variable = url.variable.map((each) => (each.key in examples ? { ...each, value: `{{${each.key}}}` } : each))
  // A key is for one request: sent again with another body it is refused.
  const headers = header.map((each) => (each.key === 'Idempotency-Key' ? { ...each, value: '{{$guid}}' } : each))
  return { ...rest, url: { ...url, variable }, header: headers, ...(body && { body: wiredBody(body, examples) }) }
}

function wiredBody(body: PostmanBody, examples: Values): PostmanBody {
  if (body.raw) return { ...body, raw: Object.entries(examples).reduce(withVariable, body.raw) }
  const formdata = body.formdata?.map((part) =>
    part.value && part.value === examples[part.key] ? { ...part, value: `{{${part.key}}}` } : part,
  )
  return { ...body, ...(formdata && { formdata }) }
}

const withVariable = (text: string, [name, example]: [string, string]) =>
  text.replaceAll(`"${example}"`, `"{{${name}}}"`)

/** Without what the converter adds to the format. */
function plain({ name: _itemsOwn, auth: _ours, body, url, header, ...request }: PostmanRequest) {
  const raw = [...url.host, ...url.path].join('/')
  // Postman says itself that it sends a form, and where its parts end.
  const isForm = body?.mode === 'formdata'
  const headers = isForm ? header.filter(({ key }) => key.toLowerCase() !== 'content-type') : header
  return { ...request, url: { raw, ...url }, header: headers, ...(body?.mode && { body }) }
}

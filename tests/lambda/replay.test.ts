import { describe, expect, test } from 'vitest'
import contract from '../../generated/openapi.json' with { type: 'json' }
import { type ExampleRequest, exampleRequest } from '../../scripts/generate/code-samples-request.ts'
import { type ContractDocument, operationsOf } from '../../scripts/generate/document.ts'
import { formOf } from '../contract/form.ts'
import { exchangeOf } from './support/exchange.ts'
import { buildForTests } from './support/lambda.ts'
import {
  document as gatewayDocument,
  lambdaWorld,
  nodeWorld,
  publicUrl,
  startBuckets,
  type World,
} from './support/worlds.ts'

const { bundle } = await buildForTests()
const endpoint = await startBuckets('reef-node', 'reef-lambda')
// One connection: nothing may need a second one while it holds the first.
const behindGateway = await lambdaWorld({ bundle, endpoint, bucket: 'reef-lambda' }, { DATABASE_POOL_SIZE: '1' })
const worlds: World[] = [await nodeWorld({ endpoint, bucket: 'reef-node' }), behindGateway]

const document = contract as unknown as ContractDocument
const operations = operationsOf(document).flatMap(({ path, method, operation }) => {
  const example = exampleRequest(document, path, method, operation)
  const one = { operationId: operation.operationId, isOpen: operation.security.length === 0, example }
  const { head } = gatewayDocument.paths[path]!
  if (method !== 'get' || !head) return [one]
  return [one, { ...one, operationId: head.operationId!, example: { ...example, method: 'HEAD' } }]
})

/** The example, as it goes over the wire. */
function requestOf({ method, target, headers, body }: ExampleRequest): Request {
  const init: RequestInit = { method, headers: { ...headers, 'x-request-id': 'replay', 'accept-encoding': 'identity' } }
  if (!body) return new Request(publicUrl + target, init)
  if (body.type === 'multipart/form-data') return new Request(publicUrl + target, { ...init, body: formOf(body) })
  const request = new Request(publicUrl + target, { ...init, body: JSON.stringify(body.example) })
  request.headers.set('content-type', body.type)
  return request
}

const misfit = (example: ExampleRequest): ExampleRequest => ({
  ...example,
  target: `${example.target}${example.target.includes('?') ? '&' : '?'}colour=blue&colour=gr%C3%BCn`,
  ...(example.body && { body: { ...example.body, example: { colour: 'grün' } } }),
})

/** Both worlds' answers to the same request, by somebody new who may do everything, or by nobody. */
async function answers(example: ExampleRequest, isSignedIn: boolean) {
  const exchanges = worlds.map(async (world) => {
    const request = requestOf(example)
    if (isSignedIn) request.headers.set('authorization', `Bearer ${await world.person('ADMIN', 'WORKER')}`)
    return exchangeOf(request, await world.send(request))
  })
  const [node, lambda] = await Promise.all(exchanges)
  return { node: node!, lambda: lambda! }
}

describe.each(operations)('$operationId', ({ operationId, example, isOpen }) => {
  test('answers nobody as on Node', async () => {
    const { node, lambda } = await answers(example, false)

    expect(lambda).toEqual(node)
    if (!isOpen) expect(lambda.status).toBe(401)
  })

  test('answers who may as on Node', async () => {
    const { node, lambda } = await answers(example, true)

    expect(lambda).toEqual(node)
    // Nobody here has the password that is the example.
    const refusals = isOpen || operationId === 'changePassword' ? [405, 415, 500] : [401, 403, 405, 415, 500]
    expect(refusals).not.toContain(lambda.status)
  })

  test('refuses what does not fit as on Node', async () => {
    const { node, lambda } = await answers(misfit(example), true)

    expect(lambda).toEqual(node)
    expect(lambda.status).toBeGreaterThanOrEqual(400)
  })
})

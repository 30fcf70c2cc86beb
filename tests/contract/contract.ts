import { readFileSync } from 'node:fs'
import {
  type ContractDocument,
  dereference,
  type Media,
  type Operation as OperationObject,
  operationsOf,
  type Parameter,
  type Schema,
} from '../../scripts/generate/document.ts'

/** The contract, as it was bundled. */
export const contract = JSON.parse(readFileSync('generated/openapi.json', 'utf8')) as ContractDocument

export interface Operation extends OperationObject {
  method: string
  /** As the contract has it, templates and all. */
  path: string
  /** With the examples of its parameters filled in. */
  examplePath: string
  /** The JSON that it takes, with its example, or the first one of several. */
  body: Media | undefined
  /** The form that it takes, likewise. */
  form: Media | undefined
}

export const resolve = <T extends { $ref?: string }>(value: T): T => dereference(contract, value)

/** Every operation of the contract. */
export const operations: Operation[] = operationsOf(contract).map(({ path, method, operation }) => {
  const parameters = (operation.parameters ?? []).map(resolve)
  return {
    ...operation,
    parameters,
    method: method.toUpperCase(),
    path,
    examplePath: path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(String(exampleOf(parameters, name))),
    ),
    body: bodyOf(operation, 'application/json'),
    form: bodyOf(operation, 'multipart/form-data'),
  }
})

function bodyOf({ requestBody }: OperationObject, type: string): Media | undefined {
  const media = requestBody && resolve(requestBody).content?.[type]
  return media && { ...media, example: examplesOf(media)[0]?.value }
}

/** The examples of a body. One that stands alone is `example`. */
export function examplesOf({ example, examples }: Media): { name: string; value: unknown }[] {
  if (example !== undefined) return [{ name: 'example', value: example }]
  return Object.entries(examples ?? {}).map(([name, scenario]) => ({ name, value: scenario.value }))
}

function exampleOf(parameters: Parameter[], name: string): unknown {
  const parameter = parameters.find((candidate) => candidate.in === 'path' && candidate.name === name)
  const example =
    parameter && ((parameter as { example?: unknown }).example ?? resolve<Schema>(parameter.schema).example)
  if (example === undefined) throw new Error(`The path parameter ${name} has no example.`)
  return example
}

import { type ContractDocument, dereference, type Media, operationsOf, type Parameter } from '../generate/document.ts'

/** The contract as the converter must read it, to make up nothing of its own. */
export function documentForPostman(contract: ContractDocument): ContractDocument {
  const document = structuredClone(contract)
  for (const { operation } of operationsOf(document)) {
    // It would give the example of one status to another.
    for (const status of Object.keys(operation.responses)) if (status.endsWith('XX')) delete operation.responses[status]
    operation.parameters = (operation.parameters ?? []).map((parameter) =>
      withExample(document, dereference(document, parameter)),
    )
    const bodies = [...Object.values(operation.responses), ...(operation.requestBody ? [operation.requestBody] : [])]
    for (const body of bodies.map((each) => dereference(document, each)))
      for (const media of Object.values(body.content ?? {})) keepFirstExample(media)
  }
  return document
}

/** What it finds no example of, it draws lots for. */
function withExample(document: ContractDocument, parameter: Parameter): Parameter {
  const { example, default: preset, minimum, enum: choices } = dereference(document, parameter.schema)
  return { example: preset ?? example ?? (choices as unknown[] | undefined)?.[0] ?? minimum, ...parameter } as Parameter
}

/** It knows one example of a body, and passes over several. */
function keepFirstExample(media: Media): void {
  const [first] = Object.values(media.examples ?? {})
  if (!first) return
  media.example = first.value
  delete media.examples
}

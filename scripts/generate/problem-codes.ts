import { type ContractDocument, dereference, type Media, type Operation } from './document.ts'

/** Whoever calls anything may meet these. */
const everywhere = new Set(['invalid_request', 'unauthenticated', 'forbidden', 'insufficient_scope'])

/** The codes that this operation is refused with and not every other, as the examples of its problems have them. */
export function problemCodes(document: ContractDocument, { responses }: Operation): string[] {
  const codes = Object.entries(responses)
    .filter(([status]) => /^4\d\d$/.test(status))
    .flatMap(([, response]) => Object.values(dereference(document, response).content ?? {}))
    .flatMap(examplesOf)
    .map((problem) => (problem as { code: string }).code)
  return [...new Set(codes)].filter((code) => !everywhere.has(code))
}

const examplesOf = ({ example, examples = {} }: Media): unknown[] =>
  example === undefined ? Object.values(examples).map(({ value }) => value) : [example]

import { type ContractDocument, dereference, operationsOf } from '../generate/document.ts'

/** Tells by method and path whose bodies are not all JSON: Prism would corrupt them, or hold them back. */
export function isBeyondJson(document: ContractDocument): (method: string, path: string) => boolean {
  const routes = operationsOf(document).map(({ path, method, operation }) => {
    const { requestBody, responses } = operation
    const bodies = [...Object.values(responses), ...(requestBody ? [requestBody] : [])]
    const types = bodies.flatMap((body) => Object.keys(dereference(document, body).content ?? {}))
    return { method, pattern: patternOf(path), isJson: types.every((type) => /[/+]json$/.test(type)) }
  })
  // Static before templated, as the service has it: `/jobs/poll` is no job.
  const ranked = routes.sort((a, b) => a.pattern.variables - b.pattern.variables)
  return (method, path) => {
    const declared = asDeclared(method).toLowerCase()
    const route = ranked.find((each) => each.method === declared && each.pattern.matches(path))
    return route !== undefined && !route.isJson
  }
}

/** HEAD is answered wherever GET is, and the contract says no more of it. */
export const asDeclared = (method: string) => (method === 'HEAD' ? 'GET' : method)

function patternOf(path: string) {
  const segments = path.split('/').map((segment) => (/^\{\w+\}$/.test(segment) ? undefined : segment))
  const variables = segments.filter((segment) => segment === undefined).length
  return {
    variables,
    matches(candidate: string): boolean {
      const given = candidate.split('/')
      return (
        given.length === segments.length &&
        segments.every((segment, at) => (segment === undefined ? given[at] !== '' : segment === given[at]))
      )
    },
  }
}

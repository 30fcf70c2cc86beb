import { operationsIn, parametersOf } from './parts.ts'
import { below, type Fault, type Json, type Rule, record } from './rule.ts'

const literal = /^[\w.,:-]+$/
const variable = /^\{[\w.-]+\+?\}$/

const pathsOf = (document: Json) =>
  Object.keys(record(document.paths)).map((path) => ({ path, pointer: below('/paths', path) }))

/** Without the slash at the start. The root has none. */
const segmentsOf = (path: string) =>
  path
    .slice(1)
    .split('/')
    .slice(path === '/' ? 1 : 0)

const variablesOf = (path: string) => [...path.matchAll(/\{([^{}+]+)\+?\}/g)].map((match) => match[1]!)

export const pathRules: Rule[] = [
  {
    name: 'path-segments',
    *find(document) {
      for (const { path, pointer } of pathsOf(document)) {
        if (!path.startsWith('/')) yield { pointer, message: 'begins without a slash' }
        for (const segment of segmentsOf(path)) {
          if (!literal.test(segment) && !variable.test(segment))
            yield {
              pointer,
              message: `has the segment "${segment}": only letters, digits, _ - . , : or one {variable} as a whole`,
            }
        }
      }
    },
  },
  {
    name: 'greedy-last',
    *find(document) {
      for (const { path, pointer } of pathsOf(document)) {
        if (/\+\}\//.test(path)) yield { pointer, message: 'goes on behind a {variable+}, which takes the rest' }
      }
    },
  },
  {
    name: 'sibling-variables',
    find: siblingVariables,
  },
  {
    name: 'reserved-paths',
    *find(document) {
      for (const { path, pointer } of pathsOf(document)) {
        if (path === '/ping' || path === '/sping')
          yield { pointer, message: 'is what API Gateway asks for its own health' }
      }
    },
  },
  {
    name: 'path-variables-declared',
    *find(document) {
      for (const { path, pointer, declared } of declaredVariables(document)) {
        for (const name of variablesOf(path).filter((name) => !declared.includes(name)))
          yield { pointer, message: `declares no path parameter ${name}` }
      }
    },
  },
  {
    name: 'path-variables-used',
    *find(document) {
      for (const { path, pointer, declared } of declaredVariables(document)) {
        for (const name of declared.filter((name) => !variablesOf(path).includes(name)))
          yield { pointer, message: `declares the path parameter ${name}, which its path has not` }
      }
    },
  },
]

function* siblingVariables(document: Json): Generator<Fault> {
  const known = new Map<string, string>()
  for (const { path, pointer } of pathsOf(document)) {
    const segments = segmentsOf(path)
    for (const [index, segment] of segments.entries()) {
      if (!segment.startsWith('{')) continue
      const parent = `/${segments.slice(0, index).join('/')}`
      const sibling = known.get(parent) ?? segment
      known.set(parent, sibling)
      if (sibling !== segment) yield { pointer, message: `has ${segment} where another path has ${sibling}` }
    }
  }
}

const declaredVariables = (document: Json) =>
  operationsIn(document).map((operation) => ({
    path: operation.path,
    pointer: operation.pointer,
    declared: parametersOf(document, operation)
      .filter((parameter) => parameter.in === 'path')
      .map(({ name }) => String(name)),
  }))

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import contract from '../../generated/openapi.json' with { type: 'json' }
import { readmeExamples } from './support/examples.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const entries = [`${root}sdk/index.ts`, `${root}sdk/node.ts`]

/** Each example as a file of its own; `client` is there unless it makes one. */
const files = new Map(
  readmeExamples().map(({ heading, code }, index) => {
    const client = /const client\b/.test(code) ? '' : "declare const client: import('@fieldstation/sdk').Client\n"
    return [`${root}tests/sdk/example-${index}.ts`, { heading, code: `${client}${code}\nexport {}\n` }]
  }),
)

function compile(files: Map<string, { code: string }>): ts.Program {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const paths = { '@fieldstation/sdk': [entries[0]!], '@fieldstation/sdk/node': [entries[1]!] }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.getSourceFile = (name, ...rest) => {
    const file = files.get(name)
    return file ? ts.createSourceFile(name, file.code, ts.ScriptTarget.ESNext, true) : getSourceFile(name, ...rest)
  }
  return ts.createProgram([...files.keys(), ...entries], { ...options, paths }, host)
}

const program = compile(files)
const checker = program.getTypeChecker()

/** What a name's comment says before its first tag, on one line. */
const saidOf = (symbol: ts.Symbol) => oneLine(ts.displayPartsToString(symbol.getDocumentationComment(checker)))
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

/** What an entry exports and we wrote. */
const exportsOf = (entry: string): ts.Symbol[] =>
  checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .filter(isOurs)

const isOurs = ({ declarations }: ts.Symbol) =>
  declarations?.[0]?.getSourceFile().fileName.startsWith(`${root}sdk/`) ?? false

/** The members of an interface, or the public ones of a class, that stand in its own declaration. */
const membersOf = (symbol: ts.Symbol): ts.Symbol[] =>
  [...(symbol.members?.values() ?? [])].filter(
    ({ flags, declarations }) =>
      flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Property) &&
      !declarations?.some((declaration) => ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private),
  )

describe('the README', () => {
  test('has examples', () => {
    expect(files.size).toBeGreaterThan(12)
  })

  test.each([...files])('has an example that compiles: %s', { timeout: 60_000 }, (name) => {
    const faults = ts.getPreEmitDiagnostics(program, program.getSourceFile(name))
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })

  test('names every namespace', () => {
    const readme = readFileSync(`${root}sdk/README.md`, 'utf8')
    const [client] = exportsOf(entries[0]!).filter(({ name }) => name === 'Client')
    const namespaces = membersOf(client!).flatMap(({ name }) => (name === 'raw' ? [] : [`\`${name}\``]))
    expect(namespaces.length).toBeGreaterThan(10)
    expect(namespaces.filter((name) => !readme.includes(name))).toEqual([])
  })
})

describe('every public name', () => {
  test.each(entries)('of %s is documented, and so are its members', (entry) => {
    const exported = exportsOf(entry)
    expect(exported.length).toBeGreaterThan(15)

    const silent = exported.flatMap((symbol) => [
      ...(saidOf(symbol) ? [] : [symbol.name]),
      ...membersOf(symbol)
        .filter((member) => !saidOf(member))
        .map(({ name }) => `${symbol.name}.${name}`),
    ])

    expect(silent).toEqual([])
  })
})

describe("the contract's words", () => {
  const [client] = exportsOf(entries[0]!).filter(({ name }) => name === 'Client')
  const namespaces = new Map(
    membersOf(client!).map((member) => [member.name, checker.getTypeOfSymbol(member).getSymbol()!]),
  )
  const operations = Object.values(contract.paths).flatMap(
    (methods) => Object.values(methods) as { 'x-sdk'?: string; summary: string; description: string; tags: string[] }[],
  )
  const offered = operations.flatMap(({ 'x-sdk': sdk, ...words }) => (sdk ? [{ sdk, ...words }] : []))

  test.each(offered)('begin the comment of $sdk', ({ sdk, summary, description }) => {
    const [namespace, method] = sdk.split('.') as [string, string]
    const member = membersOf(namespaces.get(namespace)!).find(({ name }) => name === method)!
    const [said, refusals = ''] = saidOf(member).split(/(?=Throws `)/)
    expect(said!.trim()).toBe(oneLine(`${summary}. ${description}`))
    for (const [, code] of refusals.matchAll(/`(\w+)`/g))
      expect(contract.components.schemas.ProblemCode.enum).toContain(code)
  })

  test.each([...new Map(offered.map((words) => [words.sdk.split('.')[0]!, words]))])(
    'are the comment of the namespace %s',
    (namespace, { tags }) => {
      const { description } = contract.tags.find(({ name }) => name === tags[0])!
      expect(saidOf(namespaces.get(namespace)!)).toBe(oneLine(description))
      expect(saidOf(membersOf(client!).find(({ name }) => name === namespace)!)).toBe(oneLine(description))
    },
  )

  const schemas = contract.components.schemas as Record<string, { description?: string }>
  const types = [
    ...readFileSync(`${root}sdk/types.ts`, 'utf8').matchAll(/^export type (\w+)[^=]* =\s*(?:Schemas\['(\w+)'\]\n)?/gm),
  ].flatMap(([, name, schema = name]) => (schemas[schema!] ? [[name!, schema!] as const] : []))

  test('are there for every type that is a schema', () => {
    expect(types.length).toBeGreaterThan(35)
  })

  test.each(types)('begin the comment of the type %s: %s', (name, schema) => {
    const type = exportsOf(entries[0]!).find((symbol) => symbol.name === name)!
    expect(saidOf(type)).toBe(oneLine(schemas[schema]!.description ?? ''))
  })
})

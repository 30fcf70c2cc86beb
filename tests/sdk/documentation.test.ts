import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const entries = [`${root}sdk/index.ts`, `${root}sdk/node.ts`]

/** Each example of the README as a file of its own; `client` is there unless it makes one. */
function examples(): Map<string, { heading: string; code: string }> {
  const readme = readFileSync(`${root}sdk/README.md`, 'utf8')
  const found = new Map<string, { heading: string; code: string }>()
  let heading = ''
  for (const [, title, code] of readme.matchAll(/^## (.+)|^```ts\n([\s\S]*?)^```/gm)) {
    heading = title ?? heading
    if (!code) continue
    const client = /const client\b/.test(code) ? '' : "declare const client: import('@fieldstation/sdk').Client\n"
    found.set(`${root}tests/sdk/example-${found.size}.ts`, { heading, code: `${client}${code}\nexport {}\n` })
  }
  return found
}

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

const files = examples()
const program = compile(files)
const checker = program.getTypeChecker()

describe('the README', () => {
  test('has examples', () => {
    expect(files.size).toBeGreaterThan(12)
  })

  test.each([...files])('has an example that compiles: %s', { timeout: 60_000 }, (name) => {
    const faults = ts.getPreEmitDiagnostics(program, program.getSourceFile(name))
    expect(faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
  })
})

describe('every public name', () => {
  const isDocumented = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0

  /** What is said of a type is said at its members, where we declare them. */
  const members = (symbol: ts.Symbol): ts.Symbol[] => {
    const declaration = symbol.declarations?.[0]
    if (!declaration || !ts.isInterfaceDeclaration(declaration)) return []
    return [...(symbol.members?.values() ?? [])].filter(
      ({ flags }) => flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Property),
    )
  }

  test.each(entries)('of %s is documented', (entry) => {
    const exported = checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!)
      .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
      .filter(({ declarations }) => declarations?.[0]?.getSourceFile().fileName.startsWith(`${root}sdk/`))
    expect(exported.length).toBeGreaterThan(15)

    const silent = exported.filter((symbol) => !isDocumented(symbol)).map(({ name }) => name)
    const silentMembers = exported
      .filter(({ name }) => /(Calls|Client|Worker|Context)$/.test(name))
      .flatMap((symbol) =>
        members(symbol)
          .filter((member) => !isDocumented(member))
          .map(({ name }) => `${symbol.name}.${name}`),
      )

    expect({ silent, silentMembers }).toEqual({ silent: [], silentMembers: [] })
  })
})

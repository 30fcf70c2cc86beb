import { readdirSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const folder = resolve('tests/must-not-compile')
const marker = '// must not compile'

/** The compiler on the folder alone, with the project's own options. */
function compile() {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, resolve('.'))
  const files = readdirSync(folder).map((file) => resolve(folder, file))
  const program = ts.createProgram(files, options)
  return files.map((file) => {
    const source = program.getSourceFile(file)!
    const faults = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    const lines = source.text.split('\n')
    return {
      name: basename(file),
      expected: lines.flatMap((line, index) => (line.trim() === marker ? [index + 2] : [])),
      found: [...new Set(faults.map(({ start = 0 }) => source.getLineAndCharacterOfPosition(start).line + 1))],
      said: faults.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')).join('\n'),
    }
  })
}

const compiled = compile()

describe('the compiler', () => {
  test.each(compiled.filter(({ expected }) => expected.length > 0))('refuses $name where it says', (file) => {
    expect(file.found, file.said).toEqual(file.expected)
  })

  test.each(compiled.filter(({ expected }) => expected.length === 0))('has nothing against $name', (file) => {
    expect(file.found, file.said).toEqual([])
  })

  test('has seen both', () => {
    expect(compiled.filter(({ expected }) => expected.length === 0).map(({ name }) => name)).toEqual([
      'good-handlers.ts',
    ])
    expect(compiled.length).toBeGreaterThan(20)
  })
})

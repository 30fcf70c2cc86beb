import ts from 'typescript'
import type { Client } from '../../../sdk/index.ts'

/** What an example finds around it, instead of the world. */
export interface Surroundings {
  client: Client
  /** Words of the example, and what they are here: ids and keys that only a service can give out. */
  standIns?: Record<string, string>
  process?: object
  localStorage?: object
  document?: object
}

const modules: Record<string, () => Promise<object>> = {
  '@fieldstation/sdk': () => import('../../../sdk/index.ts'),
  '@fieldstation/sdk/node': () => import('../../../sdk/node.ts'),
  'node:fs': () => import('node:fs'),
  'node:fs/promises': () => import('node:fs/promises'),
}

const load = (name: string) => {
  const module = modules[name]
  if (!module) throw new Error(`An example imports ${name}, which its reader may not have.`)
  return module()
}

/** Runs an example to its end, as its reader would. Gives what it wrote to the console, line by line. */
export async function runExample(
  example: string,
  { client, standIns = {}, process, localStorage, document }: Surroundings,
): Promise<unknown[][]> {
  const lines: unknown[][] = []
  const write = (...line: unknown[]) => void lines.push(line)
  const code = Object.entries(standIns).reduce((text, [word, here]) => text.replaceAll(word, here), example)
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  })
  const body = outputText.replace(/^import (\{.*?\}) from '(.*?)';?$/gms, "const $1 = await load('$2')")
  // A block, so that an example may declare a `client` of its own.
  const run = new AsyncFunction('load', 'client', 'console', 'process', 'localStorage', 'document', `{\n${body}\n}`)
  await run(load, client, { log: write, error: write }, process, localStorage, document)
  return lines
}

const AsyncFunction = (async () => {}).constructor as new (
  ...parametersAndBody: string[]
) => (...given: unknown[]) => Promise<void>

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** What the SDK's source says of a method. */
export interface SdkMethod {
  /** The names of what it takes. */
  parameters: string[]
  /** The type of what it gives, as it is written. */
  returns: string
}

const folder = 'sdk'
let interfaces: Map<string, ts.InterfaceDeclaration> | undefined

/** A method of the client by its path, such as `jobs.create`. Overloads go by the first. */
export function sdkMethod(name: string): SdkMethod | undefined {
  interfaces ??= readInterfaces()
  const [namespace, method] = name.split('.')
  const property = memberOf(interfaces.get('Client'), namespace!)
  const calls = property && ts.isPropertySignature(property) ? property.type?.getText() : undefined
  const found = calls && memberOf(interfaces.get(calls), method!)
  if (!found || !ts.isMethodSignature(found)) return undefined
  return {
    parameters: found.parameters.map((parameter) => parameter.name.getText()),
    returns: found.type?.getText() ?? '',
  }
}

/** Read anew by each process, as it stands: the types that come from the contract are not needed for this. */
function readInterfaces(): Map<string, ts.InterfaceDeclaration> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'))
  const sources = files.map((file) =>
    ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.ESNext, true),
  )
  const found = sources.flatMap(({ statements }) => statements.filter(ts.isInterfaceDeclaration))
  return new Map(found.map((declaration) => [declaration.name.text, declaration]))
}

const memberOf = (declaration: ts.InterfaceDeclaration | undefined, name: string) =>
  declaration?.members.find((member) => member.name?.getText() === name)

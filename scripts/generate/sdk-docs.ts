import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { type ContractDocument, type Operation, operationsOf } from './document.ts'
import { problemCodes } from './problem-codes.ts'

const folder = 'sdk'
const width = 120

/** What the contract says of a name of the SDK: `JobCalls`, `JobCalls.create`, `Client.jobs`, or a type such as `Job`. */
type Words = Map<string, string>
type Edit = { start: number; end: number; text: string }

/**
 * The files of the SDK, with the contract's words in the doc comments of what comes from the contract. A comment's first tag
 * (`@remarks`) and what follows it are the SDK's own words, and stay as they are.
 */
export function sdkDocs(document: ContractDocument): Record<string, string> {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .map((path) => ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext, true))
  const words = new Map([...callWords(document, namespaces(files)), ...schemaWords(document)])
  return Object.fromEntries(files.map((file) => [file.fileName, applied(file.text, editsOf(file, words))]))
}

/** `jobs` → `JobCalls`, as the interface `Client` has them. */
function namespaces(files: ts.SourceFile[]): Map<string, string> {
  const client = files
    .flatMap(({ statements }) => [...statements])
    .find((statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === 'Client')
  if (!client) throw new Error(`${folder}/ declares no interface Client`)
  return new Map(
    (client as ts.InterfaceDeclaration).members
      .filter(ts.isPropertySignature)
      .map((member) => [member.name.getText(), member.type!.getText()]),
  )
}

/** Operations by their `x-sdk`. A namespace takes the words of the tag that its operations have. */
function* callWords(document: ContractDocument, calls: Map<string, string>): Generator<[string, string]> {
  const tags = new Map((document.tags as { name: string; description: string }[]).map((tag) => [tag.name, tag]))
  for (const { operation } of operationsOf(document)) {
    const [namespace, method] = String(operation['x-sdk'] ?? '').split('.') as [string, string?]
    const owner = calls.get(namespace)
    // A method that is not written yet is missed by a test, so that a contract can be generated before its SDK is written.
    if (!owner || !method) continue
    const { description } = tags.get(operation.tags[0]!)!
    yield [owner, description]
    yield [`Client.${namespace}`, description]
    yield [`${owner}.${method}`, operationWords(document, operation)]
  }
}

function operationWords(document: ContractDocument, operation: Operation): string {
  const codes = problemCodes(document, operation).map((code) => `\`${code}\``)
  const refusals = codes.length > 0 ? `Throws ${codes.join(', ')}.` : ''
  return [`${operation.summary}.`, operation.description, refusals].filter(Boolean).join('\n\n')
}

function* schemaWords(document: ContractDocument): Generator<[string, string]> {
  for (const [name, { description }] of Object.entries(document.components.schemas))
    if (typeof description === 'string') yield [name, description]
}

function editsOf(file: ts.SourceFile, words: Words): Edit[] {
  const edits: Edit[] = []
  const say = (node: ts.Node, name: string) => {
    const said = words.get(name)
    if (said) edits.push(commentEdit(file, node, said))
  }
  for (const statement of file.statements) {
    if (ts.isTypeAliasDeclaration(statement) && isExported(statement)) say(statement, schemaOf(statement))
    if (!ts.isInterfaceDeclaration(statement)) continue
    const owner = statement.name.text
    if (statement.members.some((member) => words.has(`${owner}.${member.name?.getText()}`))) say(statement, owner)
    for (const member of statement.members) say(member, `${owner}.${member.name?.getText()}`)
  }
  return edits
}

const isExported = (statement: ts.TypeAliasDeclaration) =>
  statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false

/** `type Credentials = Schemas['LoginRequest']` is LoginRequest; a type that refines a schema has the schema's name. */
const schemaOf = ({ name, type }: ts.TypeAliasDeclaration) =>
  /^Schemas\['(\w+)'\]$/.exec(type.getText())?.[1] ?? name.text

function commentEdit(file: ts.SourceFile, node: ts.Node, words: string): Edit {
  const old = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)
  const start = node.getStart(file)
  const indent = ' '.repeat(file.getLineAndCharacterOfPosition(start).character)
  const text = docComment(words, old ? ownWords(old.getText(file)) : [], indent)
  return old ? { start: old.pos, end: old.end, text } : { start, end: start, text: `${text}\n${indent}` }
}

/** The lines of a comment from its first tag on. */
function ownWords(comment: string): string[] {
  const lines = comment
    .replace(/^\/\*\*\s*|\s*\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
  const first = lines.findIndex((line) => line.startsWith('@'))
  return first < 0 ? [] : lines.slice(first)
}

function docComment(words: string, own: string[], indent: string): string {
  const said = wrapped(words.trim().replaceAll('*/', '*\\/'), width - indent.length - ' * '.length)
  const lines = [...said, ...(own.length > 0 ? ['', ...own] : [])]
  const short = `/** ${lines[0]} */`
  if (lines.length === 1 && indent.length + short.length <= width) return short
  return ['/**', ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`].join('\n')
}

/** Paragraphs are filled anew; what is laid out (lists, tables, code) keeps its lines. */
function wrapped(text: string, columns: number): string[] {
  return text.split(/\n\s*\n/).flatMap((paragraph, index) => {
    const lines = /^(\s|[-*|>]\s|```)/m.test(paragraph) ? paragraph.split('\n') : filled(paragraph, columns)
    return index === 0 ? lines : ['', ...lines]
  })
}

function filled(paragraph: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of paragraph.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

const applied = (text: string, edits: Edit[]) =>
  edits
    .sort((a, b) => b.start - a.start)
    .reduce((changed, { start, end, text }) => changed.slice(0, start) + text + changed.slice(end), text)

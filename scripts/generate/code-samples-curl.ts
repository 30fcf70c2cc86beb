import { type Credential, type ExampleBody, type ExampleRequest, filesOf } from './code-samples-request.ts'
import { jsonNotation, written } from './code-samples-text.ts'

const credentials: Record<Credential, string[]> = {
  none: [],
  token: ['-H "Authorization: Bearer $TOKEN"'],
  apiKey: ['-H "X-API-Key: $API_KEY"'],
  assignmentToken: ['-H "Authorization: Bearer $ASSIGNMENT_TOKEN"'],
}

/** The request as a command for a shell. */
export function curlSample({
  method,
  baseUrl,
  target,
  headers,
  body,
  credential,
  answer = '',
}: ExampleRequest): string {
  // curl gets, and posts what it is given, without being told to.
  const isImplied = method === (body ? 'POST' : 'GET')
  const flags = [
    ...(isImplied ? [] : [`-X ${method}`]),
    ...(answer === 'text/event-stream' ? ['-N'] : []),
    ...(isFile(answer) ? [`-o ${fileName(target, answer)}`] : []),
  ]
  const lines = [
    ['curl', ...flags, shellWord(baseUrl + target)].join(' '),
    ...credentials[credential],
    ...Object.entries(headers).map(([name, value]) => `-H ${shellQuoted(`${name}: ${value}`)}`),
    ...(body ? bodyLines(body) : []),
  ]
  return lines.join(' \\\n  ')
}

function bodyLines(body: ExampleBody): string[] {
  const { type, schema, example } = body
  if (type === 'multipart/form-data') {
    const files = filesOf(body)
    const given = (example ?? {}) as Record<string, unknown>
    return Object.keys(schema.properties ?? {})
      .filter((name) => files.includes(name) || name in given)
      .map((name) => `-F ${shellQuoted(`${name}=${files.includes(name) ? '@' : ''}${given[name] ?? name}`)}`)
  }
  const head = `-H 'Content-Type: ${type}'`
  if (isFile(type)) return [head, '--data-binary @file']
  return [head, `-d ${shellQuoted(written(example, jsonNotation, 6, '  '))}`]
}

/** Whether something belongs into a file rather than onto a terminal. */
const isFile = (type: string) => type !== '' && !/^text\/|json|xml/.test(type)

/** `/api/images/019a…/content` and `image/png` make `content.png`. */
function fileName(target: string, type: string): string {
  const name = target.split('?')[0]!.split('/').at(-1)
  return shellWord(`${name}.${/^[a-z]+$/.exec(type.split('/')[1]!)?.[0] ?? 'bin'}`)
}

const shellWord = (text: string) => (/^[\w./:@%+=-]+$/.test(text) ? text : shellQuoted(text))

/** Between single quotes a shell reads nothing but their end. */
const shellQuoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

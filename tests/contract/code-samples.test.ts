import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, openAsBlob, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve as absolute, join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import { type CodeSample, withCodeSamples } from '../../scripts/generate/code-samples.ts'
import type { ContractDocument } from '../../scripts/generate/document.ts'
import type { Client, ClientOptions, Credentials } from '../../sdk/index.ts'
import { startHttpServer } from '../../src/main/http-server.ts'
import { claimOne, testJob } from '../support/jobs.ts'
import { startTestService } from '../support/service.ts'
import { contract, operations, resolve } from './contract.ts'
import { picture } from './form.ts'

const run = promisify(execFile)
const hasCurl = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, 'curl')))

const samples = operations.map(({ operationId, ...operation }) => {
  const all = operation['x-codeSamples'] as CodeSample[]
  const sourceOf = (label: string) => all.find((sample) => sample.label === label)?.source
  return { operationId, name: operation['x-sdk'], sdk: sourceOf('TypeScript SDK'), curl: sourceOf('curl') }
})
const withSdk = samples.flatMap(({ sdk, ...sample }) => (sdk ? [{ ...sample, sdk }] : []))

describe('every operation', () => {
  test.each(samples)('has samples: $operationId', ({ name, sdk, curl }) => {
    expect(curl).toMatch(/^curl /)
    // The documentation is for people: nobody calls it.
    if (name === undefined) expect(sdk).toBeUndefined()
    else expect(sdk).toContain(`client.${name}(`)
  })
})

const { description } = contract.info as { description: string }
const described = [...description.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code!)

const describedFile = (index: number) => absolute(`tests/contract/described-${index}.ts`)
const sampleFile = (operationId: string) => absolute(`tests/contract/sample-${operationId}.ts`)
/** One for all examples: each is a module of its own, and what they import is read once. */
const program = compile(
  new Map([
    ...described.map((code, index) => [describedFile(index), code] as const),
    ...withSdk.map(({ operationId, sdk }) => [sampleFile(operationId), sdk] as const),
  ]),
)

describe('the description of the contract', () => {
  const links = [...description.matchAll(/\]\((#[^)]*)\)/g)].map(([, link]) => link!)

  test('has an example that compiles', { timeout: 60_000 }, () => {
    expect(described).toHaveLength(1)
    expect(faultsOf(describedFile(0))).toEqual([])
  })

  test('leads to operations that are there', () => {
    const anchors = operations.map(({ tags, operationId }) => `#tag/${tags[0]}/operation/${operationId}`)

    expect(links.length).toBeGreaterThan(5)
    expect(links.filter((link) => !anchors.includes(link))).toEqual([])
  })
})

describe('the sample for the SDK', () => {
  test.each(withSdk)('compiles: $operationId', { timeout: 60_000 }, ({ operationId }) => {
    expect(faultsOf(sampleFile(operationId))).toEqual([])
  })
})

function compile(files: Map<string, string>): ts.Program {
  const config = ts.readConfigFile('tsconfig.json', ts.sys.readFile).config
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, absolute('.'))
  const paths = { '@fieldstation/sdk': [absolute('sdk/index.ts')] }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name)
    return text ? ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true) : getSourceFile(name, ...rest)
  }
  return ts.createProgram([...files.keys()], { ...options, paths }, host)
}

const faultsOf = (file: string) =>
  ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))

const service = await startTestService()
const server = await startHttpServer({ fetch: service.fetch, host: '127.0.0.1', port: 0 })
afterAll(() => server.stop())
const scratch = mkdtempSync(join(tmpdir(), 'fieldstation-samples-'))
afterAll(() => rmSync(scratch, { recursive: true }))
// The file that the story uploads. What it is stands in its bytes.
const { file } = operations.find(({ operationId }) => operationId === 'createImage')!.form!.example as { file: string }
writeFileSync(join(scratch, file), picture)

const exampleOf = <T = never>(id: string) =>
  operations.find(({ operationId }) => operationId === id)!.body!.example as T

const ana = exampleOf<Credentials>('login')
await service.client().auth.register(ana)

/** What the contract's story has told before and these tests have not. Every other sample is a success. */
const refusals: Record<string, string> = {
  completeLayer: 'upload_incomplete',
  downloadJob: 'job_not_succeeded',
  reportResult: 'invalid_request',
  changePassword: 'wrong_password',
  resetPassword: 'invalid_reset_token',
}

/** A world of its own for one sample, in which what the contract's examples name is there. */
async function worldOf(operationId: string) {
  const { id, client, token } = await service.person('ADMIN', 'WORKER')
  const { key } = await client.users.createApiKey({
    name: 'Samples',
    scopes: contract.components.schemas.Scope!.enum as never,
  })
  const { id: apiKeyId } = await client.users.createApiKey({ name: 'Spare', scopes: ['jobs:read'] })
  const { id: polygonId } = await client.polygons.create(exampleOf('createPolygon'))
  const { id: noteId } = await client.notes.create({ polygonId, content: 'Bleached' })
  const imageId = operationId === 'completeImageUpload' ? await arrivedUpload(client) : await someImage(client)
  await client.regions.put('lizard-island', exampleOf('putRegion'))
  await client.regions.createLayerUpload('lizard-island', 'depth', exampleOf('createLayerUpload'))
  await client.jobs.create(testJob())
  const { assignment } = await claimOne(client)
  const { jobId } = await client.jobs.create(testJob())
  // The events of a job that goes on go on.
  if (operationId === 'streamJobEvents') await client.jobs.cancel(jobId)
  const userId = operationId === 'deleteUser' ? (await service.person()).id : id
  const [session] = (await client.users.listSessions()).items
  const assignmentId = assignment.id
  const ids = { apiKeyId, polygonId, noteId, imageId, jobId, assignmentId, sessionId: session!.id, userId }
  const real = new Map(Object.entries(ids).map(([name, id]) => [pathExample(name), id]))
  if (operationId === 'register' || operationId === 'createUser') real.set(ana.email, `${jobId}@reef.example`)
  if (operationId === 'refreshToken') {
    const { refreshToken } = await client.auth.login(ana)
    real.set(exampleOf<{ refreshToken: string }>('refreshToken').refreshToken, refreshToken)
  }
  return {
    env: { TOKEN: token, API_KEY: key, ASSIGNMENT_TOKEN: assignment.token },
    replaced: (text: string) => [...real].reduce((changed, [example, own]) => changed.replaceAll(example, own), text),
  }
}

const someImage = async ({ images }: Client) => (await images.create(new Blob([picture]))).id

/** An upload whose file is there, and that nobody has completed. */
async function arrivedUpload({ images }: Client): Promise<string> {
  const sha256 = createHash('sha256').update(picture).digest('hex')
  const declared = { name: 'reef.png', contentType: 'image/png', sizeBytes: picture.length, sha256 } as const
  const { imageId, upload } = await images.createUpload(declared)
  const { method, headers } = upload
  await service.fetch(new Request(upload.url, { method, headers, body: picture }))
  return imageId
}

function pathExample(name: string): string {
  const parameter = operations.flatMap(({ parameters = [] }) => parameters).find((one) => one.name === name)!
  return String((parameter as { example?: unknown }).example ?? resolve(parameter.schema).example)
}

/** Whom requests have reached since. */
function reachedSince(line: number): unknown[] {
  const requests = service.log.lines.slice(line).filter(({ message }) => message === 'request')
  return requests.map(({ fields }) => (fields as { operationId?: string }).operationId)
}

describe('the sample for the SDK, run', () => {
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const baseUrls: string[] = []
  const createClient = ({ baseUrl, ...options }: ClientOptions): Client => {
    baseUrls.push(baseUrl)
    return service.client(options)
  }

  test.each(withSdk)('does what $operationId is for', async ({ operationId, sdk }) => {
    const { env, replaced } = await worldOf(operationId)
    const lines = replaced(sdk).split('\n')
    const imports = lines.filter((text) => text.startsWith('import '))
    const body = lines.slice(imports.length).join('\n')
    const sample = new AsyncFunction('createClient', 'openAsBlob', 'process', 'console', body)
    const line = service.log.lines.length
    const logged: unknown[] = []

    const open = (name: string) => openAsBlob(join(scratch, name))
    const console = { log: (...values: unknown[]) => void logged.push(...values) }
    const outcome = await sample(createClient, open, { env }, console).catch((error: unknown) => error)

    expect(imports).toEqual([
      ...(sdk.includes('openAsBlob(') ? ["import { openAsBlob } from 'node:fs'"] : []),
      "import { createClient } from '@fieldstation/sdk'",
    ])
    expect(outcome?.code ?? outcome).toBe(refusals[operationId])
    const blobs = logged.filter((value) => value instanceof Blob)
    expect(await Promise.all(blobs.map(bytesOf))).toEqual(operationId === 'getImage' ? [picture] : [])
    expect(reachedSince(line)).toEqual([operationId])
    expect(baseUrls.at(-1)).toBe((contract.servers as { url: string }[])[0]!.url)
  })
})

describe.skipIf(!hasCurl)(`the sample for curl, run${hasCurl ? '' : ' (there is no curl)'}`, () => {
  test.each(samples)('does what $operationId is for', async ({ operationId, curl }) => {
    const { env, replaced } = await worldOf(operationId)
    const [{ url }] = contract.servers as [{ url: string }]
    const command = replaced(curl!)
      .replaceAll(url, server.url)
      .replace(/^curl/, "curl -sS --max-time 20 -w '\\n%{http_code}'")
    const line = service.log.lines.length

    const { stdout, stderr } = await run('sh', ['-c', command], {
      cwd: scratch,
      env: { ...env, PATH: process.env.PATH },
      maxBuffer: 8 * 1024 * 1024,
    })

    const [, body, status] = /^([\s\S]*)\n(\d+)$/.exec(stdout)!
    expect(stderr).toBe('')
    const problem = Number(status) < 400 ? undefined : JSON.parse(body!)
    expect(problem?.code ?? problem).toBe(refusals[operationId])
    expect(reachedSince(line)).toEqual([operationId])
    const [, saved] = / -o (\S+)/.exec(command) ?? []
    if (saved) expect(new Uint8Array(readFileSync(join(scratch, saved)))).toEqual(picture)
  })
})

describe('the samples for files', () => {
  const sampleOf = (id: string) => samples.find(({ operationId }) => operationId === id)!

  test('send one under its name, with what it shows', async () => {
    const { sdk, curl } = sampleOf('createImage')

    expect(sdk).toContain(`const file = await openAsBlob('${file}')\nconst image = await client.images.create(file, {`)
    expect(sdk).toContain(`name: '${file}',\n  polygonId: '`)
    expect(curl).toContain(`-F 'file=@${file}' \\\n  -F 'polygonId=`)
  })

  test('keep one', () => {
    const { sdk, curl } = sampleOf('getImage')

    expect(sdk).toContain('console.log(await response.blob())')
    expect(curl).toMatch(/^curl -o [\w-]+\.jpeg /)
  })
})

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer())

describe('withCodeSamples', () => {
  const bodyOf = (type: string, schema: object, example?: unknown) => ({
    requestBody: { content: { [type]: { schema, example } } },
  })
  const answerOf = (type: string) => ({ responses: { 200: { description: '', content: { [type]: { schema: {} } } } } })

  /** The samples of the one operation that this contract has. */
  function samplesOf(parts: object, path = '/reefs', method = 'get'): CodeSample[] {
    const operation = { operationId: 'aReef', tags: [], responses: {}, security: [], ...parts }
    const document = {
      openapi: '3.0.3',
      servers: [{ url: 'https://reef.example' }],
      paths: { [path]: { [method]: operation } },
      components: { schemas: {} },
    } as ContractDocument
    const before = structuredClone(document)
    const made = withCodeSamples(document).paths[path]![method]!['x-codeSamples'] as CodeSample[]
    expect(document).toEqual(before)
    return made
  }
  const curlOf = (...place: Parameters<typeof samplesOf>) =>
    samplesOf(...place).find(({ lang }) => lang === 'Shell')!.source
  const parameter = (name: string, place: string, rest: object) => ({ name, in: place, schema: {}, ...rest })

  test('fills in what is required, and what makes a write safe', () => {
    const parameters = [
      parameter('reefId', 'path', { required: true, example: 'a/b' }),
      parameter('depth', 'query', { required: true, example: [-4, -10] }),
      parameter('limit', 'query', { example: 5 }),
      parameter('If-Match', 'header', { example: '"1"' }),
      parameter('Last-Event-ID', 'header', { example: 4 }),
    ]

    expect(curlOf({ parameters }, '/reefs/{reefId}', 'delete')).toBe(
      `curl -X DELETE 'https://reef.example/reefs/a%2Fb?depth=-4&depth=-10' \\\n  -H 'If-Match: "1"'`,
    )
  })

  test('says which example is missing', () => {
    const parameters = [parameter('reefId', 'path', { required: true })]

    expect(() => samplesOf({ parameters }, '/reefs/{reefId}')).toThrow('aReef reefId: a sample needs an example')
  })

  test.each([
    ['a session', { security: [{ bearerAuth: [] }, { apiKey: [] }], 'x-scopes': ['jobs:read'] }, 'Bearer $TOKEN"'],
    ['a key', { security: [{ bearerAuth: [] }, { apiKey: [] }], 'x-scopes': ['jobs:work'] }, 'X-API-Key: $API_KEY"'],
    ['an assignment', { security: [{ apiKey: [] }, { assignmentToken: [] }] }, 'Bearer $ASSIGNMENT_TOKEN"'],
  ])('shows the credentials of %s', (_, parts, header) => {
    expect(curlOf(parts)).toContain(header)
  })

  test.each([
    ['a stream', 'text/event-stream', 'curl -N https:'],
    ['a picture', 'image/png', 'curl -o reefs.png https:'],
    ['a file', 'application/octet-stream', 'curl -o reefs.bin https:'],
    ['JSON', 'application/geo+json', 'curl https:'],
    ['a page', 'text/html', 'curl https:'],
  ])('fetches %s as it should be', (_, type, start) => {
    expect(curlOf(answerOf(type))).toContain(start)
  })

  test('sends files as files', () => {
    const form = { properties: { file: { format: 'binary' }, title: {}, note: {} } }
    const given = { file: 'reef.jpg', title: "Ana's reef" }

    expect(curlOf(bodyOf('multipart/form-data', form, given), '/reefs', 'post')).toBe(
      `curl https://reef.example/reefs \\\n  -F 'file=@reef.jpg' \\\n  -F 'title=Ana'\\''s reef'`,
    )
    expect(curlOf(bodyOf('image/tiff', {}), '/reefs', 'put')).toContain(
      "-H 'Content-Type: image/tiff' \\\n  --data-binary @file",
    )
  })

  test('quotes for the shell and for the script what stands in a body', async () => {
    const nasty = { name: `Ana's "reef" \\ $HOME`, 'odd name': null }
    const parts = { ...bodyOf('application/json', {}, nasty), 'x-sdk': 'polygons.create' }

    const [sdk, curl] = samplesOf(parts, '/reefs', 'post')

    const [, quoted] = /-d ('[\s\S]*')$/.exec(curl!.source)!
    const { stdout } = await run('sh', ['-c', `printf %s ${quoted}`])
    expect(JSON.parse(stdout)).toEqual(nasty)
    const [, literal] = /create\(([\s\S]*?)\)\nconsole/.exec(sdk!.source)!
    expect(new Function(`return ${literal}`)()).toEqual(nasty)
  })

  test('leaves the SDK out where its method is not written yet', () => {
    expect(samplesOf({ 'x-sdk': 'reefs.list' }).map(({ label }) => label)).toEqual(['curl'])
  })

  test('refuses a method that asks for what the contract does not name', () => {
    expect(() => samplesOf({ 'x-sdk': 'polygons.get' })).toThrow(
      'aReef: the SDK asks for "polygonId", which the contract does not name',
    )
  })
})

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { help, readCommand } from '../../scripts/apigateway/options.ts'
import { temporaryFolder } from '../support/processes.ts'
import { exported, runExport as run, userPoolArn } from './support.ts'

describe('npm run export:apigateway', () => {
  test('writes the document, and says what is in it', async () => {
    const out = join(await temporaryFolder(), 'deep', 'apigateway.json')

    const { code, output, errors } = await run('--out', out)

    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(output).toMatch(/apigateway\.json: \d+ operations \(\d+ streamed\), \d+ preflights, \d+ kB\n$/)
    expect(JSON.parse(await readFile(out, 'utf8'))).toEqual(exported())
  })

  test('writes to standard output nothing but the document', async () => {
    const { code, output } = await run('--out', '-', '--authorizer', 'cognito', '--cognito-user-pool-arn', userPoolArn)

    expect(code).toBe(0)
    expect(JSON.parse(output)).toEqual(exported({ authorizer: { kind: 'cognito', userPoolArn } }))
  })

  test('tells how it is used', async () => {
    expect(await run('--help')).toEqual({ code: 0, output: help, errors: '' })
  })

  test.each([['--reef'], ['--out'], ['reef'], ['--authorizer', 'iam']])(
    'refuses %j with a sentence',
    async (...args) => {
      const { code, output, errors } = await run(...args)

      expect({ code, output }).toEqual({ code: 2, output: '' })
      expect(errors).toMatch(/^[^\n]+\.\n$/)
    },
  )

  test('tells every fault of a document, and where it is', async () => {
    const file = join(await temporaryFolder(), 'spoiled.json')
    await writeFile(file, JSON.stringify({ ...exported(), openapi: '3.1.0', security: [] }))

    const { code, output, errors } = await run('--check', file)

    expect({ code, output }).toEqual({ code: 1, output: '' })
    expect(errors.split('\n')).toEqual([
      '/openapi is 3.1.0, and of OpenAPI 3 only 3.0 is imported (openapi-version)',
      '/security is ignored: repeat it for each operation (root-security)',
      '2 faults.',
      '',
    ])
  })

  test('has nothing against what it wrote, nor against YAML', async () => {
    const file = join(await temporaryFolder(), 'apigateway.json')
    await run('--out', file)

    expect(await run('--check', file)).toMatchObject({ code: 0, errors: '' })
    const yaml = join(await temporaryFolder(), 'some.yml')
    await writeFile(yaml, 'openapi: 3.0.1\ninfo: { title: Reefs, version: "1" }\npaths: {}\n')
    expect(await run('--check', yaml)).toMatchObject({ code: 0, errors: '' })
  })

  test('says of a file that is not there that it is not', async () => {
    expect(await run('--check', '/nowhere.json')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('/nowhere.json'),
    })
  })
})

describe('the options', () => {
  const optionsOf = (...args: string[]) => {
    const command = readCommand(args)
    if (command.kind !== 'export') throw new Error(`This is ${command.kind}.`)
    return command.options
  }

  test('need not be given', () => {
    expect(readCommand([])).toMatchObject({ kind: 'export', out: 'dist/apigateway.json' })
    expect(optionsOf()).toMatchObject({ authorizer: { kind: 'none' }, corsOrigins: ['*'] })
  })

  test('name functions, and where they are', () => {
    const { functions } = optionsOf(
      ...['--function', 'reef:live', '--stream-function', 'reef-stream', '--authorizer', 'lambda'],
      ...['--authorizer-function', 'gate', '--region', 'us-gov-west-1', '--account', '123456789012'],
    )

    expect(functions).toEqual({
      api: 'reef:live',
      stream: 'reef-stream',
      authorizer: 'gate',
      region: 'us-gov-west-1',
      account: '123456789012',
      partition: 'aws-us-gov',
    })
  })

  test('name origins, each once', () => {
    const origins = ['https://a.example', 'http://localhost:5173', 'https://a.example']

    expect(optionsOf(...origins.flatMap((origin) => ['--cors-origin', origin])).corsOrigins).toEqual(
      origins.slice(0, 2),
    )
  })

  test('tell how long the authorizer is believed', () => {
    expect(optionsOf('--authorizer', 'lambda', '--authorizer-cache', '300').authorizer).toEqual({
      kind: 'lambda',
      cacheSeconds: 300,
    })
  })

  test.each([
    [['--authorizer', 'cognito'], 'needs --cognito-user-pool-arn'],
    [['--authorizer', 'cognito', '--cognito-user-pool-arn', 'pool'], 'is arn:aws:cognito-idp:'],
    [['--cognito-user-pool-arn', userPoolArn], 'goes with --authorizer cognito'],
    [['--authorizer-cache', '5'], 'goes with --authorizer lambda'],
    [['--authorizer-function', 'gate'], 'goes with --authorizer lambda'],
    [['--authorizer', 'lambda', '--authorizer-cache', '3601'], 'from 0 to 3600'],
    [['--authorizer', 'lambda', '--authorizer-cache', ''], 'from 0 to 3600'],
    [['--cors-origin', '*', '--cors-origin', 'https://a.example'], 'not both'],
    [['--cors-origin', 'https://a.example/'], 'not https://a.example/'],
    [['--cors-origin', "https://a.example'"], "not https://a.example'"],
    [['--cors-origin', 'a.example'], 'not a.example'],
    [['--function', 'reef/1'], 'is the name of a function'],
    [['--region', 'eu-central-1'], 'go together'],
    [['--region', 'europe', '--account', '123456789012'], 'one like eu-central-1'],
    [['--region', 'eu-central-1', '--account', '123'], '12 digits'],
    [['--check', 'x.json', '--out', 'y.json'], 'no other option'],
  ])('%j make no sense', (args, reason) => {
    expect(() => readCommand(args)).toThrow(reason)
  })
})

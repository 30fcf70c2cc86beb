import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ContractDocument } from '../../scripts/generate/document.ts'
import { problemCodes } from '../../scripts/generate/problem-codes.ts'
import { sdkDocs } from '../../scripts/generate/sdk-docs.ts'

const contract = (): ContractDocument => JSON.parse(readFileSync('generated/openapi.json', 'utf8'))
const createJob = (document: ContractDocument) => document.paths['/api/jobs']!.post!

describe('the doc comments of the SDK', () => {
  test('are up to date, and making them again changes nothing', () => {
    for (const [file, content] of Object.entries(sdkDocs(contract()))) expect(content, file).toBe(read(file))
  })

  test("follow the contract's words, and keep the SDK's own", () => {
    const document = contract()
    createJob(document).description = `Begins. ${'A long story. '.repeat(10)}\n\n- one\n- two */ three\n`

    const { 'sdk/jobs.ts': jobs, ...others } = sdkDocs(document)

    expect(jobs).toContain(`
  /**
   * Start a job.
   *
   * Begins. A long story. A long story. A long story. A long story. A long story. A long story. A long story. A long
   * story. A long story. A long story.
   *
   * - one
   * - two *\\/ three
   *
   * Throws \`priority_reserved\``)
    expect(jobs).toContain(
      '   * @remarks\n   * Safe to repeat, and repeated, by its idempotency key.\n   */\n  create<T',
    )
    expect(withoutComments(jobs!)).toBe(withoutComments(read('sdk/jobs.ts')))
    for (const [file, content] of Object.entries(others)) expect(content, file).toBe(read(file))
  })

  test('are written where there were none', () => {
    const document = contract()
    createJob(document)['x-sdk'] = 'jobs.listAll'
    document.components.schemas.Page = { description: 'Never used.' }
    document.components.schemas.JobInput = { description: 'What it is given.' }

    const { 'sdk/jobs.ts': jobs, 'sdk/types.ts': types } = sdkDocs(document)

    expect(jobs).toMatch(/Start a job\.[^/]*\*\/\n {2}listAll\(/)
    expect(types).toContain('/** What it is given. */\nexport type JobInput<')
  })

  test('name the codes that not everything is refused with', () => {
    const document = contract()
    expect(problemCodes(document, document.paths['/api/auth/login']!.post!)).toEqual([
      'invalid_credentials',
      'too_many_attempts',
    ])
    expect(problemCodes(document, document.paths['/livez']!.get!)).toEqual([])
  })

  test('wait for a method that is not written yet', () => {
    const document = contract()
    createJob(document)['x-sdk'] = 'jobs.dream'
    expect(Object.keys(sdkDocs(document))).toContain('sdk/jobs.ts')
  })
})

const read = (file: string) => readFileSync(file, 'utf8')
const withoutComments = (source: string) => source.replaceAll(/\s*\/\*\*[\s\S]*?\*\//g, '')

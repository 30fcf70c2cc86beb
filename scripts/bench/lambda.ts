import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSigningKey } from '../../src/auth/access-tokens.ts'
import { buildLambda } from '../lambda/build.ts'
import { median, report } from './figures.ts'
import type { Stage } from './stage.ts'

const samples = 15

/** What a new instance of the function does with its first event. Plain JavaScript: types would have to be taken out first. */
const firstRequest = `
  const { BUNDLE, EVENT } = process.env
  const { handler } = await import(BUNDLE)
  const { statusCode } = await handler(JSON.parse(EVENT), { getRemainingTimeInMillis: () => 10000 })
  process.stdout.write(String(statusCode), () => process.exit())
`

/** How large the function is, and how long a new instance of it takes from nothing to its first answer. */
export async function benchLambda({ databaseUrl, worker }: Stage): Promise<void> {
  const outdir = await mkdtemp(join(tmpdir(), 'fieldstation-bench-lambda-'))
  try {
    const { service } = await buildLambda({ outdir })
    const environment = {
      BUNDLE: service.file,
      DATABASE_URL: databaseUrl,
      S3_BUCKET: 'bench',
      PUBLIC_URL: 'https://api.reef.example',
      JWT_PRIVATE_KEY: generateSigningKey(),
      AWS_REGION: 'us-east-1',
    }
    const bare = await timeOf(() => runNode('process.exit()', {}))
    const first = await timeOf(() => answer(eventOf('/livez', {}), environment))
    const database = await timeOf(() => answer(eventOf('/api/users/me', worker), environment))
    const kb = `${(service.gzippedBytes / 1000).toFixed(0)} KB`
    report('Lambda: the bundle, gzipped', kb, '≤ 400 KB')
    const ms = [first, database, bare].map((each) => each.toFixed(0)).join(' / ')
    report('Lambda: start to first answer / with a query / bare Node', `${ms} ms`, '≤ 150 ms')
  } finally {
    await rm(outdir, { recursive: true, force: true })
  }
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const took: number[] = []
  for (let n = 0; n < samples; n++) {
    const before = performance.now()
    await work()
    took.push(performance.now() - before)
  }
  return median(took)
}

async function answer(event: object, environment: Record<string, string>): Promise<void> {
  const status = await runNode(firstRequest, { ...environment, EVENT: JSON.stringify(event) })
  if (status !== '200') throw new Error(`The function answered ${status}.`)
}

/** What the program says until it ends. */
async function runNode(source: string, env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await once(child, 'close')
  return said
}

const eventOf = (path: string, headers: Record<string, string>) => ({
  httpMethod: 'GET',
  path,
  headers,
  requestContext: { identity: { sourceIp: '127.0.0.1' }, stage: 'v1', path: `/v1${path}`, requestId: 'bench' },
})

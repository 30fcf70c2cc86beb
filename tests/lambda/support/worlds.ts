import { randomBytes } from 'node:crypto'
import { startFauxqs } from 'fauxqs'
import { v7 as uuid } from 'uuid'
import { afterAll } from 'vitest'
import contract from '../../../generated/openapi.json' with { type: 'json' }
import { gatewayDocument } from '../../../scripts/apigateway/document.ts'
import { accessTokens, generateSigningKey } from '../../../src/auth/access-tokens.ts'
import type { Role } from '../../../src/auth/caller.ts'
import { sessionStore } from '../../../src/auth/session-store.ts'
import { compose } from '../../../src/compose.ts'
import { settingsOf } from '../../../src/compose-services.ts'
import { readConfig } from '../../../src/config.ts'
import { connect, type Sql } from '../../../src/db/sql.ts'
import { startHttpServer } from '../../../src/main/http-server.ts'
import { openS3Store } from '../../../src/store/open-s3-store.ts'
import { userStore } from '../../../src/users/user-store.ts'
import { startS3Gate } from '../../store/s3-gate.ts'
import { createDatabase, memoryLog, memoryTransport } from '../../support/service.ts'
import { gateway } from './gateway.ts'
import { type Lambda, startLambda } from './lambda.ts'

export const document = gatewayDocument(contract as never)

/** A service with a database and a bucket of its own, and a way to reach it. */
export interface World {
  sql: Sql
  send(request: Request): Promise<Response>
  /** Somebody who is signed in: their token. */
  person(...roles: Role[]): Promise<string>
}

export const publicUrl = 'https://api.reef.example'
const signingKey = generateSigningKey()
const credentials = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'a secret access key' }

/** Something that speaks S3, with an empty bucket for each world. */
export async function startBuckets(...buckets: string[]) {
  const fauxqs = await startFauxqs({ port: 0, logger: false })
  for (const bucket of buckets) fauxqs.createBucket(bucket)
  const gate = await startS3Gate(fauxqs.address, credentials.AWS_SECRET_ACCESS_KEY)
  afterAll(async () => {
    await gate.stop()
    await fauxqs.stop()
  })
  return gate.url
}

export interface LambdaWorld extends World {
  databaseUrl: string
  environment: Record<string, string>
  lambda: Lambda
}

/** The bundle behind API Gateway. */
export async function lambdaWorld(
  { bundle, endpoint, bucket }: { bundle: string; endpoint: string; bucket: string },
  overrides: Record<string, string> = {},
): Promise<LambdaWorld> {
  const databaseUrl = await createDatabase()
  const environment = {
    DATABASE_URL: databaseUrl,
    S3_BUCKET: bucket,
    S3_ENDPOINT: endpoint,
    PUBLIC_URL: publicUrl,
    JWT_PRIVATE_KEY: signingKey,
    AWS_REGION: 'us-east-1',
    ...credentials,
    ...overrides,
  }
  const lambda = await startLambda(bundle, environment)
  return { ...people(databaseUrl), send: gateway(document, lambda), databaseUrl, environment, lambda }
}

/** The service as Node runs it, behind its own HTTP server. */
export async function nodeWorld({ endpoint, bucket }: { endpoint: string; bucket: string }): Promise<World> {
  const databaseUrl = await createDatabase()
  const config = readConfig({ DATABASE_URL: databaseUrl, S3_BUCKET: bucket, S3_ENDPOINT: endpoint })
  Object.assign(process.env, credentials)
  const service = await compose({
    ...settingsOf(config),
    databaseUrl,
    poolSize: config.DATABASE_POOL_SIZE,
    store: openS3Store(config, bucket),
    mail: { transport: memoryTransport(), publicUrl: () => publicUrl },
    signingKey,
    log: memoryLog(),
  })
  const server = await startHttpServer({ fetch: service.app.fetch, host: '127.0.0.1', port: 0 })
  afterAll(async () => {
    service.beginShutdown()
    await server.stop()
    await service.close()
  })
  const send = (request: Request) => {
    const { pathname, search } = new URL(request.url)
    return fetch(new Request(`${server.url}${pathname}${search}`, request))
  }
  return { ...people(databaseUrl), send }
}

function people(databaseUrl: string): Pick<World, 'sql' | 'person'> {
  const sql = connect(databaseUrl, { max: 1 })
  afterAll(() => sql.end({ timeout: 5 }))
  return {
    sql,
    async person(...roles) {
      const [id, sessionId] = [uuid(), uuid()]
      await userStore(sql).insert({ id, email: `${id}@reef.example`, roles: ['USER', ...roles] })
      await sessionStore(sql).insert({ id: sessionId, userId: id, tokenHash: randomBytes(32) })
      return (await accessTokens(signingKey)).sign(id, sessionId)
    },
  }
}

import { readFile } from 'node:fs/promises'
import type { APIGatewayProxyEvent, Context } from 'aws-lambda'
import { composeCore, settingsOf } from '../compose.ts'
import { readLambdaConfig } from '../config.ts'
import { localSignals } from '../db/signals.ts'
import { connectThawing } from '../db/thaw.ts'
import { maintainOnce } from '../jobs/maintenance.ts'
import { lambdaGateway } from '../lambda/gateway.ts'
import { createLog } from '../log.ts'
import { storeWhenNeeded } from '../store/store-when-needed.ts'

// Once for all requests that this instance will answer, and before the first. Nothing here asks the database or the store.
const config = readLambdaConfig(process.env)
const log = createLog(config.LOG_LEVEL, 'fieldstation', { isSync: true })
const { sql, thaw } = connectThawing(config.DATABASE_URL, {
  max: config.DATABASE_POOL_SIZE,
  isPooled: config.DATABASE_POOLED,
})
const service = await composeCore({
  ...settingsOf(config),
  sql,
  signals: localSignals(),
  // The client for S3 is half of all there is to load.
  store: storeWhenNeeded(async () => (await import('../store/open-s3-store.ts')).openS3Store(config, config.S3_BUCKET)),
  signingKey: config.JWT_PRIVATE_KEY,
  readRedoc: () => readFile(new URL('redoc.standalone.js', import.meta.url), 'utf8'),
  // Whoever waits pays for it, and hears of nothing that happens elsewhere but by looking.
  waiting: { longestSeconds: 2, lookMs: 1000 },
  log,
})
const gateway = lambdaGateway({ fetch: service.app.fetch, publicUrl: config.PUBLIC_URL, thaw, log })

/** For API Gateway's buffered integrations. */
export const handler = gateway.buffered

/** For its streaming ones. The runtime has what that takes; elsewhere, whoever loads this has no use for it. */
export const streamHandler = globalThis.awslambda?.streamifyResponse?.((event: APIGatewayProxyEvent, output, context) =>
  gateway.streaming(event, output, context, awslambda.HttpResponseStream),
)

/** For a schedule: what a service that stays does by itself from time to time. */
export async function scheduled(_event: unknown, context: Context): Promise<void> {
  await thaw()
  await maintainOnce(
    { ...service, sweep: service.settlement.sweep, log },
    () => context.getRemainingTimeInMillis() > 5000,
  )
}

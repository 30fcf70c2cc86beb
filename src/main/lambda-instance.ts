import { settingsOf } from '../compose-services.ts'
import { type Environment, readLambdaConfig } from '../config.ts'
import { localSignals } from '../db/signals.ts'
import { connectThawing } from '../db/thaw.ts'
import { createLog } from '../log.ts'
import { storeWhenNeeded } from '../store/store-when-needed.ts'

/** What each instance of a function is made of, once for all its events. Asks neither the database nor the store. */
export function openInstance(environment: Environment) {
  const config = readLambdaConfig(environment)
  const log = createLog(config.LOG_LEVEL, 'fieldstation', { isSync: true })
  const { sql, thaw } = connectThawing(config.DATABASE_URL, {
    max: config.DATABASE_POOL_SIZE,
    isPooled: config.DATABASE_POOLED,
  })
  // The client for S3 is half of all there is to load.
  const openStore = async () => (await import('../store/open-s3-store.ts')).openS3Store(config, config.S3_BUCKET)
  const parts = {
    ...settingsOf(config),
    sql,
    signals: localSignals(),
    store: storeWhenNeeded(openStore),
    signingKey: config.JWT_PRIVATE_KEY,
    // Whoever waits pays for it, and hears of nothing that happens elsewhere but by looking.
    waiting: { longestSeconds: 2, lookMs: 1000 },
    log,
  }
  return { config, log, sql, thaw, parts }
}

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BadUsage, usage } from '../admin-commands.ts'
import { composeAdmin } from '../compose-admin.ts'
import { BadConfiguration, type Config, readConfig } from '../config.ts'
import { DataDirInUse, openDataDir } from '../db/data-dir.ts'
import { startEmbeddedPostgres } from '../db/embedded-postgres.ts'
import { migrate } from '../db/migrate.ts'
import { runningPostgresUrl } from '../db/running-postgres.ts'
import { connect } from '../db/sql.ts'
import { AppError } from '../errors.ts'
import { createLog } from '../log.ts'
import { runProgram } from './program.ts'

await runProgram(async () => {
  const args = process.argv.slice(2)
  if (args.length === 0 || args[0] === 'help' || args.includes('--help')) return void process.stdout.write(usage)
  const config = readConfig(process.env)
  await using undo = new AsyncDisposableStack()
  const sql = connect(await openDatabase(config, undo), { max: 2 })
  undo.defer(() => sql.end({ timeout: 5 }))
  try {
    const home = config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`
    const commands = composeAdmin(sql, config.PASSWORD_RESET_URL ?? `${home}/reset-password`)
    process.stdout.write(`${await commands.run(args)}\n`)
  } catch (error) {
    if (!(error instanceof BadUsage) && !(error instanceof AppError)) throw error
    process.stderr.write(error instanceof BadUsage ? `${error.message}\n\n${usage}` : `${error.message}\n`)
    process.exitCode = error instanceof BadUsage ? 2 : 1
  }
})

/** Where the database is that the service works on: one of its own, or the embedded one, whether the service runs just now or not. */
async function openDatabase(config: Config, undo: AsyncDisposableStack): Promise<string> {
  // Past a pooler, which would not know what we prepare.
  if (config.DATABASE_URL) return config.DATABASE_DIRECT_URL ?? config.DATABASE_URL
  const path = resolve(config.DATA_DIR)
  // An empty one made here would be another service's than the one that is meant.
  if (!existsSync(join(path, 'postgres')))
    throw new BadConfiguration(
      `${path} holds no database: the service makes it at its first start. Is DATA_DIR the right one?`,
    )
  const dataDir = await openDataDir(path).catch((error: unknown) => {
    if (error instanceof DataDirInUse) return undefined
    throw error
  })
  if (!dataDir) return runningDatabase(path)
  undo.defer(() => dataDir.close())
  const postgres = await startEmbeddedPostgres({ dataDir, log: createLog(config.LOG_LEVEL, 'fieldstation') })
  undo.defer(() => postgres.stop())
  await migrate(postgres.url)
  return postgres.url
}

async function runningDatabase(dataDir: string): Promise<string> {
  const url = await runningPostgresUrl(dataDir)
  if (url) return url
  throw new DataDirInUse(`${dataDir} is in use by a process that has not started its database yet. Try again.`)
}

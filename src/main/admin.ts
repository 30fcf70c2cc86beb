import { resolve } from 'node:path'
import { BadUsage, usage } from '../admin-commands.ts'
import { composeAdmin } from '../compose-admin.ts'
import { type Config, readConfig } from '../config.ts'
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
  const database = await openDatabase(config)
  const sql = connect(database.url, { max: 2 })
  try {
    const home = config.PUBLIC_URL ?? `http://${config.HOST}:${config.PORT}`
    const commands = composeAdmin(sql, config.PASSWORD_RESET_URL ?? `${home}/reset-password`)
    process.stdout.write(`${await commands.run(args)}\n`)
  } catch (error) {
    if (!(error instanceof BadUsage) && !(error instanceof AppError)) throw error
    process.stderr.write(error instanceof BadUsage ? `${error.message}\n\n${usage}` : `${error.message}\n`)
    process.exitCode = error instanceof BadUsage ? 2 : 1
  } finally {
    await sql.end({ timeout: 5 })
    await database.close()
  }
})

/** The database that the service works on: of its own, or the embedded one, whether the service runs just now or not. */
async function openDatabase(config: Config): Promise<{ url: string; close(): Promise<void> }> {
  if (config.DATABASE_URL) return { url: config.DATABASE_URL, close: async () => {} }
  const path = resolve(config.DATA_DIR)
  const dataDir = await openDataDir(path).catch((error: unknown) => {
    if (error instanceof DataDirInUse) return undefined
    throw error
  })
  if (!dataDir) {
    const url = await runningPostgresUrl(path)
    if (!url) throw new DataDirInUse(`${path} is in use by a process that has not started its database yet. Try again.`)
    return { url, close: async () => {} }
  }
  try {
    const postgres = await startEmbeddedPostgres({ dataDir, log: createLog(config.LOG_LEVEL, 'fieldstation') })
    const close = async () => {
      await postgres.stop()
      dataDir.close()
    }
    await migrate(postgres.url)
    return { url: postgres.url, close }
  } catch (error) {
    dataDir.close()
    throw error
  }
}

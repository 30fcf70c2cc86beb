import { readDatabaseConfig } from '../config.ts'
import { migrate } from '../db/migrate.ts'
import { runProgram } from './program.ts'

await runProgram(async () => {
  const { DATABASE_URL, DATABASE_DIRECT_URL } = readDatabaseConfig(process.env)
  const applied = await migrate(DATABASE_DIRECT_URL ?? DATABASE_URL)
  process.stdout.write(applied.length > 0 ? `Applied ${applied.join(', ')}\n` : 'Nothing to apply\n')
})

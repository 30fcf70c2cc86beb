import { readConfig } from '../config.ts'
import { migrate } from '../db/migrate.ts'

const { DATABASE_URL, DATABASE_DIRECT_URL } = readConfig(process.env)
if (!DATABASE_URL)
  throw new Error('DATABASE_URL is missing: the embedded database is migrated when the service starts.')
const applied = await migrate(DATABASE_DIRECT_URL ?? DATABASE_URL)
process.stdout.write(applied.length > 0 ? `Applied ${applied.join(', ')}\n` : 'Nothing to apply\n')

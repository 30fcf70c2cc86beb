// Starts a PostgreSQL in a data directory, prints its URL, and runs until it is killed or told to exit. Run by embedded-postgres.test.ts.
import { openDataDir } from '../../src/db/data-dir.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded-postgres.ts'

const quiet = { info() {}, warn() {}, error() {} }
const dataDir = await openDataDir(process.argv[2] ?? '')
const { url } = await startEmbeddedPostgres({ dataDir, log: quiet, durable: false })
console.log(url)
process.stdin.on('data', () => process.exit(1))

// Opens a data directory and holds it until it is killed. Run by data-dir.test.ts.
import { openDataDir } from '../../src/db/data-dir.ts'

await openDataDir(process.argv[2] ?? '')
console.log('held')
setInterval(() => {}, 60_000)

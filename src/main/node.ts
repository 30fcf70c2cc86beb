import { readConfig } from '../config.ts'
import { startLocalWorkers } from '../local-workers.ts'
import { createLog } from '../log.ts'
import { startService } from '../service.ts'
import { onceStopped } from '../stop.ts'
import { welcome } from '../welcome.ts'

const config = readConfig(process.env)
const log = createLog(config.LOG_LEVEL, 'fieldstation')
const service = await startService(config, log)
const workers = await startLocalWorkers({ count: config.LOCAL_WORKERS, service, logLevel: config.LOG_LEVEL, log })
process.stdout.write(welcome(service, config.LOCAL_WORKERS))

await onceStopped()
await workers.stop()
await service.close()

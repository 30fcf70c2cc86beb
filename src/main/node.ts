import { readConfig } from '../config.ts'
import { startLocalWorkers } from '../local-workers.ts'
import { createLog } from '../log.ts'
import { startService } from '../service.ts'
import { onceStopped } from '../stop.ts'
import { welcome } from '../welcome.ts'
import { cleanUp } from './clean-up.ts'
import { runProgram } from './program.ts'

await runProgram(async () => {
  // Heard from now on: whoever stops the service while it starts finds it stopped in good order.
  const stopped = onceStopped()
  const config = readConfig(process.env)
  const log = createLog(config.LOG_LEVEL, 'fieldstation')
  const service = await startService(config, log)
  const workers = startLocalWorkers({ count: config.LOCAL_WORKERS, service, logLevel: config.LOG_LEVEL, log })
  process.stdout.write(welcome(service, workers.count))

  await stopped
  await cleanUp([() => workers.stop(), () => service.close()], log)
})

import { ApiError } from '../../sdk/index.ts'
import { BadConfiguration, readWorkerConfig } from '../config.ts'
import { createLog } from '../log.ts'
import { onceStopped } from '../stop.ts'
import { fieldstationWorker } from '../worker/worker.ts'
import { runProgram } from './program.ts'

await runProgram(async () => {
  const stopping = new AbortController()
  void onceStopped().then(() => stopping.abort())
  // A service that started this worker and died, however it did, leaves nobody to stop it.
  process.once('disconnect', () => stopping.abort())
  const config = readWorkerConfig(process.env)
  try {
    await fieldstationWorker(config, createLog(config.LOG_LEVEL, 'worker')).run(stopping.signal)
  } catch (error) {
    if (!(error instanceof ApiError) || ![401, 403].includes(error.status)) throw error
    throw new BadConfiguration(`The service refuses FIELDSTATION_API_KEY: ${error.detail}`, { cause: error })
  }
})
process.exit()

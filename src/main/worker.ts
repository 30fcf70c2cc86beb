import { readWorkerConfig } from '../config.ts'
import { createLog } from '../log.ts'
import { onceStopped } from '../stop.ts'
import { fieldstationWorker } from '../worker/worker.ts'

const config = readWorkerConfig(process.env)
const stopping = new AbortController()
void onceStopped().then(() => stopping.abort())

await fieldstationWorker(config, createLog(config.LOG_LEVEL, 'worker')).run(stopping.signal)
process.exit()

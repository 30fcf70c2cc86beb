/**
 * Measures the service on this machine, everything in one run: `npm run bench`. Absolute figures go with the machine; what counts is
 * the ratios.
 */
import { benchClaims } from './bench/claims.ts'
import { benchLambda } from './bench/lambda.ts'
import { benchLifecycle } from './bench/lifecycle.ts'
import { setStage } from './bench/stage.ts'
import { benchStartLatency } from './bench/start-latency.ts'

const benches = { lifecycle: benchLifecycle, start: benchStartLatency, claims: benchClaims, lambda: benchLambda }
const chosen = process.argv.slice(2)
const stage = await setStage()
process.stdout.write('\nFieldstation, durable PostgreSQL, logs on\n\n')
try {
  for (const [name, bench] of Object.entries(benches)) {
    if (chosen.length === 0 || chosen.includes(name)) await bench(stage)
  }
} finally {
  await stage.close()
}

import { randomBytes } from 'node:crypto'
import { claimStore } from '../../src/jobs/claim-store.ts'
import { median, report } from './figures.ts'
import { clearJobs, newId, type Stage, seedFinished } from './stage.ts'

const samples = 400
const terms = [{ type: 'TEST' as const, leaseSeconds: 20, timeoutSeconds: 900 }]

/** How long a claim takes, in ms, with 1,000 jobs waiting among so many that are finished. */
async function claimMs(stage: Stage): Promise<number> {
  const claims = claimStore(stage.sql)
  await stage.sql`
    with job as (
      insert into jobs (id, type, user_id, max_attempts, last_event_id)
      select uuidv7(), 'TEST', ${stage.userId}, 3, 1 from generate_series(1, 1000)
      returning id
    )
    insert into job_payloads (job_id, input, resolved) select id, '{"id": 1}', '{"id": 1}' from job
  `
  const took: number[] = []
  for (let n = 0; n < samples; n++) {
    const before = performance.now()
    const claimed = await claims.claim([{ id: newId(), tokenHash: randomBytes(32) }], terms, {
      userId: stage.userId,
    })
    took.push(performance.now() - before)
    if (claimed.length !== 1) throw new Error('There was nothing to claim.')
  }
  return median(took)
}

export async function benchClaims(stage: Stage): Promise<void> {
  await clearJobs(stage)
  await seedFinished(stage, 1000)
  await claimMs(stage)
  const few = await claimMs(stage)
  await clearJobs(stage)
  await seedFinished(stage, 1_000_000)
  await claimMs(stage)
  const many = await claimMs(stage)
  report('claim p50, 1,000 finished jobs', `${few.toFixed(2)} ms`, '')
  report('claim p50, 1,000,000 finished jobs', `${many.toFixed(2)} ms, ratio ${(many / few).toFixed(2)}`, '≤ 1.2')
  await clearJobs(stage)
}

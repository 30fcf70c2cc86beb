import { randomInt } from 'node:crypto'
import { percentile, report } from './figures.ts'
import { HttpConnection } from './http-connection.ts'
import type { Stage } from './stage.ts'

const samples = 300

/** From the moment that a job is asked for to the moment that a worker which was waiting has it, in ms. */
export async function benchStartLatency({ url, admin, worker }: Stage): Promise<void> {
  const [asking, waiting] = await Promise.all([HttpConnection.open(url), HttpConnection.open(url)])
  const took: number[] = []
  for (let n = 0; n < samples; n++) {
    const claiming = waiting.send<{ claims: { assignment: { id: string } }[] }>('POST', '/api/jobs/claim', worker, {
      jobTypes: ['TEST'],
      waitSeconds: 20,
    })
    // The worker is surely waiting once an answer to something later has come.
    await asking.send('GET', '/readyz', {})
    const before = performance.now()
    await asking.send('POST', '/api/jobs', admin, { type: 'TEST', inputPayload: { id: randomInt(2 ** 31) } })
    const { claims } = await claiming
    took.push(performance.now() - before)
    await waiting.send('POST', `/api/jobs/assignments/${claims[0]!.assignment.id}/result`, worker, { status: 'FAILED' })
  }
  asking.close()
  waiting.close()
  const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)]
  report(
    'asked for to started, a worker waiting, p50 / p99',
    `${p50.toFixed(1)} / ${p99.toFixed(1)} ms`,
    '≤ 10 / 30 ms',
  )
}

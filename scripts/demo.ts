/**
 * The whole story on real terrain, on this machine alone: a service of its own on free ports, an admin who loads Maungawhau, a person who
 * looks for sites there. Leaves the results in `demo-output/` and nothing else.
 */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { onceStopped } from '../src/stop.ts'
import { describeFailure } from './demo/failure.ts'
import { raiseStage } from './demo/stage.ts'
import { tellStory } from './demo/story.ts'
import { createTerminal } from './demo/terminal.ts'

/** Takes seconds. Whatever takes this long will never end. */
const longestMs = 5 * 60_000

const terminal = createTerminal(process.stdout)
const stopping = new AbortController()
void onceStopped().then(() => {
  process.exitCode = 130
  stopping.abort(new Error('It was interrupted.'))
})
setTimeout(() => stopping.abort(new Error(`It was not done after ${longestMs / 60_000} minutes.`)), longestMs).unref()

try {
  await demo(resolve('demo-output'), stopping.signal)
} catch (error) {
  process.exitCode ??= 1
  terminal.end()
  process.stderr.write(`\nThe demo did not come to its end, and has tidied up. ${describeFailure(error)}\n`)
}

async function demo(outDir: string, signal: AbortSignal): Promise<void> {
  const startedAtMs = performance.now()
  await mkdir(outDir, { recursive: true })
  terminal.line('Fieldstation: from bare terrain to ranked sites')
  {
    await using stage = await raiseStage(terminal, signal)
    await tellStory({ ...stage, outDir, terminal, signal })
    terminal.heading('The end')
  }
  terminal.done('Service, worker and database stopped, temporary files removed', performance.now() - startedAtMs)
}

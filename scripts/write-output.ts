import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Puts what a script has made into a file, and says so in a line; or, for `-`, to standard output, and says nothing. */
export async function writeOutput(out: string, text: string, ...facts: string[]): Promise<void> {
  if (out === '-') {
    // Whoever reads along may leave (`| head`).
    process.stdout.on('error', () => {})
    process.stdout.write(text)
    return
  }
  await mkdir(dirname(out), { recursive: true })
  await writeFile(out, text)
  process.stdout.write(`${out}: ${[...facts, sizeOf(text)].join(', ')}\n`)
}

function sizeOf(text: string): string {
  const bytes = Buffer.byteLength(text)
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes JSON for people and programs alike, and gives the file's name back. */
export async function writeJson(outDir: string, name: string, value: unknown): Promise<string> {
  await writeFile(join(outDir, name), `${JSON.stringify(value, undefined, 2)}\n`)
  return name
}

/** Writes a file, and gives its name back. */
export async function writeBytes(outDir: string, name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(outDir, name), bytes)
  return name
}

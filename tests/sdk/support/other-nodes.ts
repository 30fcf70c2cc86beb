import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { NoRegistry, npmInstall } from './npm.ts'

/** Where what was fetched stays, for the next run. Not among the dependencies, since each would claim the name `node`. */
const cache = resolve('node_modules/.cache/node-versions')

/** A Node of this major version: the one that runs this, one on the PATH, or npm's. Undefined where there is none to be had. */
export async function nodeOfVersion(major: number): Promise<string | undefined> {
  const onPath = process.env.PATH?.split(delimiter).map((folder) => join(folder, 'node')) ?? []
  return [process.execPath, ...onPath].find((path) => majorOf(path) === major) ?? (await fetched(major))
}

const majorOf = (path: string) =>
  existsSync(path) ? Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]) : undefined

async function fetched(major: number): Promise<string | undefined> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = join(cache, String(major))
  const path = join(folder, 'node_modules', name, 'bin', 'node')
  if (existsSync(path)) return path
  await mkdir(cache, { recursive: true })
  const unfinished = await mkdtemp(join(cache, `${major}-`))
  try {
    await writeFile(join(unfinished, 'package.json'), '{ "private": true }')
    await npmInstall(unfinished, `${name}@${major}`)
    await rename(unfinished, folder)
    return path
  } catch (error) {
    await rm(unfinished, { recursive: true })
    // Another run was faster.
    if (existsSync(path)) return path
    if (error instanceof NoRegistry) return undefined
    throw error
  }
}

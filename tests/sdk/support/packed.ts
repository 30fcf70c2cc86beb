import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { NoRegistry, npm, npmInstall } from './npm.ts'

/**
 * The tarball that `npm publish` would send. Packed in a copy of the SDK, so that test files that pack at the same time do not write to
 * the same `dist`.
 */
export async function packSdk(folder: string): Promise<string> {
  const workspace = join(folder, 'workspace')
  const isSource = (path: string) => path !== resolve('sdk/dist')
  await cp(resolve('sdk'), join(workspace, 'sdk'), { recursive: true, filter: isSource })
  for (const part of ['generated', 'tsconfig.json']) await cp(part, join(workspace, part), { recursive: true })
  await symlink(resolve('node_modules'), join(workspace, 'node_modules'))
  const printed = await npm(join(workspace, 'sdk'), 'pack', '--pack-destination', folder)
  // The build prints too; the name of the tarball comes last.
  return join(folder, printed.trimEnd().split('\n').at(-1)!)
}

/** A project that has the package and nothing else; or, where npm cannot have what the package needs, why there is none. */
export interface Consumer {
  folder: string
  missing: string | undefined
}

export async function installPacked(folder: string, tarball: string): Promise<Consumer> {
  const project = join(folder, 'project')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  try {
    await npmInstall(project, tarball)
    return { folder: project, missing: undefined }
  } catch (error) {
    if (!(error instanceof NoRegistry)) throw error
    return { folder: project, missing: error.message }
  }
}

import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises'
import { resolve } from 'node:path'

const memory = '/dev/shm'
const neededBytes = 4 * 1024 ** 3

/**
 * What a run writes is thrown away, and most of it is databases, which a disk makes slow: where there is a file system in memory with
 * room enough, it goes there. What Node has compiled is kept, for the processes of this run and of the next.
 */
export default async function setUpTemporaryFiles() {
  process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/compiled')
  if (process.env.TMPDIR || !(await hasRoom())) return
  const folder = await mkdtemp(`${memory}/fieldstation-tests-`)
  // PostgreSQL, which does not run as root, has to pass through.
  await chmod(folder, 0o711)
  process.env.TMPDIR = folder
  return async () => {
    delete process.env.TMPDIR
    await rm(folder, { recursive: true, force: true })
  }
}

const hasRoom = () =>
  statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize >= neededBytes,
    () => false,
  )

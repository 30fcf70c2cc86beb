import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { startDiskStore } from '../store/stores.ts'

/** A disk store whose objects can be made to look old. */
export async function startAgingStore() {
  const disk = await startDiskStore()
  return {
    ...disk,
    async put(key: string) {
      await disk.store.put(key, Buffer.from('x'), { contentType: 'text/plain' })
    },
    async age(key: string, hours: number) {
      const at = new Date(Date.now() - hours * 3_600_000)
      await utimes(join(disk.root, key.replaceAll('/', '~/')), at, at)
    },
  }
}

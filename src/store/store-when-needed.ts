import { kept } from '../kept.ts'
import type { ObjectStore } from './object-store.ts'

/** A store that is opened when it is first asked for something: its client may be large, and most requests need none. */
export function storeWhenNeeded(open: () => Promise<ObjectStore>): ObjectStore {
  const store = kept(open)
  return {
    signUpload: async (...call) => (await store()).signUpload(...call),
    signDownload: async (...call) => (await store()).signDownload(...call),
    put: async (...call) => (await store()).put(...call),
    get: async (...call) => (await store()).get(...call),
    head: async (...call) => (await store()).head(...call),
    async *list(...call) {
      yield* (await store()).list(...call)
    },
    delete: async (...call) => (await store()).delete(...call),
    check: async () => (await store()).check(),
  }
}
